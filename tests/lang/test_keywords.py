"""No keyword is reserved: every one can be a field, a value, a name, wherever names stand."""

import re

import pytest

from qflow import resources
from qflow.lang import syntax
from qflow.lang.parse import parse
from tests.lang.programs import KEYWORDS

STATEMENT_WORDS = ("state", "freeze")


def fields(text: str) -> list[str]:
    parsed = parse(text, "k.qf")
    assert parsed.diagnostics == ()
    assert parsed.file is not None
    (item,) = parsed.file.items
    if isinstance(item, syntax.Schedule):
        return [s.name for s in item.stages[0].statements if isinstance(s, syntax.Field)]
    if isinstance(item, syntax.Quantize):
        (rule,) = item.rules
        assert isinstance(rule, syntax.DefaultRule)
        assert isinstance(rule.action, syntax.UseAction | syntax.PatchAction)
        return [f.name for f in rule.action.fields]
    assert isinstance(item, syntax.Block | syntax.Sweep)
    return [f.name for f in item.fields]


def test_the_list_of_keywords_is_that_of_the_grammar() -> None:
    grammar = (resources.folder("grammar") / "qflow.lark").read_text(encoding="utf-8")
    rules = re.sub(r"//.*", "", grammar)
    assert set(re.findall(r'"([a-z]+)"', rules)) == set(KEYWORDS) - {"true", "false"}


@pytest.mark.parametrize("word", KEYWORDS)
def test_as_field_and_value(word: str) -> None:
    body = f"{{\n {word} = 1\n b = 2\n {word} = {word}\n {word}.{word} = {{{word}: [{word}]}} }}"
    names = [word, "b", word, f"{word}.{word}"]
    assert fields(f"qflow 1\nmodel m {body}") == names
    assert fields(f"qflow 1\nsweep s {body}") == names
    assert fields(f"qflow 1\nquantize {{ default patch {body} }}") == names
    assert fields(f"qflow 1\nquantize {{ default use q with {body} }}") == names
    if word not in STATEMENT_WORDS:
        assert fields(f"qflow 1\nschedule {{ stage s on d {body} }}") == names


@pytest.mark.parametrize("word", KEYWORDS)
def test_as_name(word: str) -> None:
    text = f"""qflow 1
use "a.qf" as {word}
param {word}: {word} = {word}
model {word} {{ a = {word}[{word}, 3] }}
export {word}.{word} "x" {{}}
graph {{ leaf type {word}; leaf op {word}.{word}; fuse {word} + {word} }}
rules {word} {{ apply {word}; default use {word}; match "x" use {word} with {{}} }}
schedule {{ stage {word} on {word} epochs {word} {{ freeze bn "x" from epoch {word} }} }}
check {{ assert f({word}, {word} = {word}) is {word} on {word} }}
sweep {word} zip {{ a = {word} }}
"""
    assert parse(text, "k.qf").diagnostics == ()


@pytest.mark.parametrize("word", STATEMENT_WORDS)
def test_the_one_exception_is_a_located_mistake(word: str) -> None:
    parsed = parse(f"qflow 1\nschedule {{ stage s on d {{\n {word} = 1\n}} }}", "k.qf")
    assert [(d.at.line, d.at.column) for d in parsed.diagnostics if d.at] == [(3, len(word) + 3)]


@pytest.mark.parametrize("word", ["model", "param", "use", "graph", "schedule"])
def test_a_longer_word_is_no_keyword(word: str) -> None:
    parsed = parse(f"qflow 1\n{word}x det {{ }}", "k.qf")
    (diagnostic,) = parsed.diagnostics
    assert diagnostic.message == f"`{word}x` begins no item of a file"
