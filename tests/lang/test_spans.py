"""Spans are exact: cutting the text at a span gives back what the node was written as."""

import dataclasses
from collections.abc import Iterator

import pytest

from qflow.diagnostics import Span
from qflow.lang import syntax
from qflow.lang.brackets import Places
from qflow.lang.parse import parse
from qflow.lang.printer import show

TEXT = """\
# comment
qflow 1

use "common/npu.qf" as npu
param act: dtype = int8 in [int8, int16]
param n: float = 0.5 in 0.1..2
model det.x { input = {image: float32[N, 3]}; text = "漢字" }
export onnx "a.onnx" {
  opset = 21  # comment
  layout = {image: nchw}
}
graph { wrap "f:g"; leaf type a.B in "x.**"; fuse conv + bn in "y" }
rules outputs { default float }
quantize {
  default use npu.w8a8 with { act.dtype = act }
  match "a.**", op add except f("x", top = 4) expect 2 patch { a = 1 }
  match "b" scales from "t.cache" { map = position }
  apply outputs
}
schedule {
  stage finetune on train epochs n {
    state "**" = qat
    freeze bn "**" from epoch 2
    lr = 1e-3
  }
}
check {
  assert output.cls is int32 on train
  warn no scale == 1.0
}
sweep bits zip { act = [int8, int16] }
"""


def cut(span: Span) -> str:
    places = Places(TEXT)
    return TEXT[
        places.offset(span.line, span.column) : places.offset(span.end_line, span.end_column)
    ]


def nodes(value: object) -> Iterator[syntax.Node]:
    if isinstance(value, syntax.Node):
        yield value
        for part in dataclasses.fields(value):
            yield from nodes(getattr(value, part.name))
    elif isinstance(value, tuple):
        for part in value:
            yield from nodes(part)


FILE = parse(TEXT, "s.qf").file
NODES = list(nodes(FILE))


def test_every_kind_of_node_is_here() -> None:
    kinds = {
        kind
        for kind in vars(syntax).values()
        if isinstance(kind, type) and issubclass(kind, syntax.Node) and kind is not syntax.Node
    }
    assert {type(node) for node in NODES} == kinds


@pytest.mark.parametrize("node", NODES[1:], ids=lambda node: f"{type(node).__name__}-{node.span}")
def test_a_span_covers_what_the_node_says(node: syntax.Node) -> None:
    written = cut(node.span)
    assert written == written.strip()
    without_comments = "\n".join(line.split("#")[0] for line in written.split("\n"))
    squeezed = "".join(without_comments.replace(";", "\n").split())
    assert squeezed == "".join(show(node).replace(";", "\n").split()).replace(",}", "}").replace(
        ",]", "]"
    )


@pytest.mark.parametrize(
    ("kind", "span", "value"),
    [
        (syntax.Param, "name_span", "name"),
        (syntax.Param, "type_span", "type"),
        (syntax.Block, "name_span", "name"),
        (syntax.Field, "name_span", "name"),
        (syntax.RuleSet, "name_span", "name"),
        (syntax.Stage, "name_span", "name"),
        (syntax.Stage, "data_span", "data"),
        (syntax.Sweep, "name_span", "name"),
        (syntax.UseAction, "qconfig_span", "qconfig"),
        (syntax.ApplyRule, "rules_span", "rules"),
        (syntax.SetState, "state_span", "state"),
        (syntax.IsClaim, "dtype_span", "dtype"),
        (syntax.Assertion, "data_span", "data"),
    ],
)
def test_the_span_of_a_part_covers_the_part(kind: type, span: str, value: str) -> None:
    found = [node for node in NODES if isinstance(node, kind) and getattr(node, value) is not None]
    assert found
    for node in found:
        assert cut(getattr(node, span)) == getattr(node, value)


def test_keys_of_dicts_have_spans() -> None:
    dicts = [node for node in NODES if isinstance(node, syntax.Dict)]
    assert [[cut(s) for s in d.key_spans] for d in dicts] == [
        [k for k, _ in d.entries] for d in dicts
    ]


def test_the_file_spans_everything() -> None:
    assert FILE is not None
    assert cut(FILE.span) == TEXT


def test_crlf_and_a_byte_order_mark_change_no_place() -> None:
    windows = parse("\ufeff" + TEXT.replace("\n", "\r\n"), "s.qf").file
    assert windows == FILE
    assert [node.span for node in nodes(windows)] == [node.span for node in NODES]


def test_a_missing_last_line_end_changes_nothing() -> None:
    assert parse(TEXT.rstrip("\n"), "s.qf").file == FILE
