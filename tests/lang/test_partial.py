"""What parsed is kept beside the mistakes: the items, without the statements that are wrong."""

import pytest

from qflow.lang import syntax
from qflow.lang.parse import parse
from qflow.lang.printer import show

BROKEN = """\
qflow 1
param bits: dtype = int8 in [int8, int16]
param top: int 4
model m {
  entry = "a:b"
  args: {}
  checkpoint = "x"
}
nonsense
quantize {
  default use w8a8
  match "a.**" us
  match "b" float
}
schedule {
  stage s on d {
    state "**" = calibration
    state
  }
  stage t on
}
data d { loader = "a:b"
"""


def test_items_lose_only_their_wrong_statements() -> None:
    parsed = parse(BROKEN, "x.qf")
    assert parsed.file is None
    assert show(parsed.partial) == (
        "qflow 1\n\n"
        "param bits: dtype = int8 in [int8, int16]\n\n"
        'model m {\n  entry      = "a:b"\n  checkpoint = "x"\n}\n\n'
        'quantize {\n  default   use w8a8\n  match "b" float\n}\n\n'
        'schedule {\n  stage s on d {\n    state "**" = calibration\n  }\n}\n\n'
        'data d { loader = "a:b" }'
    )


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        ("qconfig q {\n  base = w8a8\n  act.", "qconfig q {\n  base = w8a8\n}"),
        ("model m { a = 1; b = {c: 2, d: [3", "model m {\n  a = 1\n  b = {}\n}"),
        ("quantize {\n  default float\n  # match", "quantize {\n  default float\n}"),
        ("data d { a = 1; b = {c: 2, # d", "data d { a = 1; b = {} }"),
        ("data d { a = 1 } }", "data d { a = 1 }"),
        ("param a: int = 3 4", "param a: int = 3"),
        ('use "a" as b c', 'use "a" as b'),
        (
            'schedule {\n  stage s on d {\n    state "a" = qat\n    state "b\n  }\n}',
            'schedule {\n  stage s on d {\n    state "a" = qat\n  }\n}',
        ),
        (
            'quantize {\n  default use a\n  match "x" patch { c = 1; d ',
            'quantize {\n  default   use a\n  match "x" patch { c = 1 }\n}',
        ),
    ],
)
def test_an_item_that_never_ends_is_kept_as_far_as_it_was_read(broken: str, kept: str) -> None:
    for behind in ("", "\nparam n: int = 3\n"):
        parsed = parse(f"qflow 1\n{broken}{behind}", "x.qf")
        assert parsed.file is None
        assert show(parsed.partial.items[0]) == kept
        assert len(parsed.partial.items) == (2 if behind else 1)


def test_places_stay_those_of_the_text() -> None:
    partial = parse(BROKEN, "x.qf").partial
    model, _ = (item for item in partial.items if isinstance(item, syntax.Block))
    assert [(f.name, f.span.line) for f in model.fields] == [("entry", 5), ("checkpoint", 7)]
    assert (partial.span.line, partial.span.end_line) == (1, 23)


def test_without_mistakes_both_are_the_same() -> None:
    parsed = parse("qflow 1\nmodel m { a = 1 }\n", "x.qf")
    assert parsed.partial is parsed.file


@pytest.mark.parametrize("text", ["", "qflow 2\nmodel m {}\n", "qflow 1\nmodel m {\x00}\n"])
def test_what_is_no_program_has_no_items(text: str) -> None:
    assert parse(text, "x.qf").partial.items == ()


def test_two_mistakes_on_one_line_are_two() -> None:
    parsed = parse("qflow 1\nmodel m { a: 1; b = 2; c: 3;: 4; d = 5 }\n", "x.qf")
    assert [d.at.column for d in parsed.diagnostics if d.at] == [12, 25, 29]
    (model,) = parsed.partial.items
    assert isinstance(model, syntax.Block)
    assert [f.name for f in model.fields] == ["b", "d"]


def test_a_number_that_does_not_fit_costs_no_item() -> None:
    parsed = parse("qflow 1\nmodel m { a = 99999999999999999999; b = 2 }\n", "x.qf")
    assert len(parsed.diagnostics) == 1
    assert len(parsed.partial.items) == 1
