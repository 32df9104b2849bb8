"""Conversion keeps what a text says and every comment of it, both ways."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qflow.diagnostics import QflowError
from qflow.lang import yaml
from qflow.lang.format import format_text
from qflow.lang.parse import parse
from qflow.lang.program import program_of
from qflow.lang.yaml import carry
from qflow.lang.yaml.convert import convert
from tests.lang.test_generated import commented
from tests.lang.yaml import said
from tests.lang.yaml.test_both_ways import PROGRAMS, named, twice
from tests.lang.yaml.test_generated import WHOLE

PAIRS = [
    (p, program)
    for p, program in PROGRAMS
    if not twice(program) and not {"compile", "syntax"} & {*p.parts}
]


@pytest.mark.parametrize("path", [p for p, _ in PAIRS], ids=named)
def test_there_and_back(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    there, _ = convert(text, "x.qf")
    back, notes = convert(there, "x.yaml")
    assert said(program_of(parse(back, "x.qf").file)) == said(program_of(parse(text, "x.qf").file))
    comments = sorted(c.text for c in carry.of_qf(text))
    assert sorted(c.text for c in carry.of_yaml(there)) == comments
    assert sorted(c.text for c in carry.of_qf(back)) == comments
    assert {d.code for d in notes} <= {"QF147"}


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_no_comment_is_lost(seed: int) -> None:
    rng = random.Random(seed)
    path, _ = PAIRS[rng.randrange(len(PAIRS))]
    text = commented(path.read_text(encoding="utf-8"), rng)
    there, _ = convert(text, "x.qf")
    back, _ = convert(commented(there, rng), "x.yaml")
    wanted = {c.text for c in carry.of_qf(text)}
    assert wanted == {c.text for c in carry.of_yaml(there)}
    # a comment behind another became part of it
    kept = "\n".join(c.text for c in carry.of_qf(back))
    assert [w for w in wanted if w not in kept] == []


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_formatting_yaml_keeps_all_and_is_stable(seed: int) -> None:
    rng = random.Random(seed)
    _, program = PAIRS[rng.randrange(len(PAIRS))]
    text = commented(yaml.show(program), rng)
    once = format_text(text, "x.yaml")  # runs the safety checks
    assert said(program_of(yaml.parse(once, "x.yaml").file)) == said(program)
    assert format_text(once, "x.yaml") == once
    assert format_text(yaml.show(program), "x.yaml") == yaml.show(program)


def test_loose_yaml_is_brought_into_form() -> None:
    loose = "# a\n\n'qflow':   1 # b\nmodel:\n    net:\n        {entry: 'a:b'}  # c\n"
    tidy = '# a\nqflow: 1  # b\n\nmodel:\n  net:\n    entry: "a:b"  # c\n'
    assert format_text(loose, "x.yaml") == tidy


def test_comments_stay_with_what_they_are_about() -> None:
    there, notes = convert(QF, "x.qf")
    assert there == YAML
    assert convert(there, "x.yaml") == (QF, ())
    assert notes == ()


QF = """\
# about the file
qflow 1

# about the param
param bits: dtype = int8 in [int8, int16]  # behind it

model net {
  entry = "a:b"  # where it is
}

quantize {
  # first of all
  default                  use w8a8
  match "x", op add in "y" patch { act.dtype = int16 }  # wide
}

# at the end
"""
YAML = """\
# about the file
qflow: 1

params:
  # about the param
  bits: {type: dtype, value: int8, in: [int8, int16]}  # behind it

model:
  net:
    entry: "a:b"  # where it is

quantize:
  # first of all
  - {default: {use: w8a8}}
  - {match: ["x", {op: add, in: "y"}], patch: {act.dtype: int16}}  # wide

# at the end
"""


def test_what_moves_is_said() -> None:
    text = "qflow 1\nparam a: int = 1\nmodel m {\n  a = 1\n  # last\n}  # end\nparam b: int = 1\n"
    there, notes = convert(text, "x.qf")
    assert [(d.code, d.severity, d.at.line) for d in notes] == [
        ("QF147", "note", 5),
        ("QF147", "note", 6),
        ("QF147", "note", 7),
    ]
    assert there.index("b:") < there.index("model:")
    assert "# last" in there
    assert "# end" in there


def test_text_with_mistakes_is_refused_with_its_source() -> None:
    for name, text in (("x.qf", "qflow 1\nmodle m {}\n"), ("x.yaml", "qflow: 1\nmodle: {}\n")):
        with pytest.raises(QflowError) as caught:
            convert(text, name)
        assert caught.value.sources == {name: text}


def test_hashes_in_yaml_that_begin_no_comment() -> None:
    text = "qflow: 1  # one\nmodel: {m: {a: 'x # y', b: \"x # z\", c: x#w}}  # two\n# three\n"
    assert [c.text for c in carry.of_yaml(text)] == ["# one", "# two", "# three"]
    assert [c.own_line for c in carry.of_yaml(text)] == [False, False, True]


def test_every_construct_converts() -> None:
    there, _ = convert(WHOLE, "x.yaml")
    assert yaml.show(program_of(parse(there, "x.qf").file)).startswith("qflow: 1\n")
