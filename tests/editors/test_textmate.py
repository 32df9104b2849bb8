"""The TextMate grammar is current, and colours what the parser reads as the parser reads it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lark import Token

from qflow.lang.grammar import parser
from qflow.lang.split import ITEM_WORDS, split
from tests.editors.scopes import Scoped, tokenize

ROOT = Path(__file__).parents[2]
GRAMMAR = json.loads((ROOT / "grammar" / "qflow.tmLanguage.json").read_text(encoding="utf-8"))
SAMPLES = sorted(
    [
        *(ROOT / "pipelines").glob("*.qf"),
        *(ROOT / "tests" / "cases" / "format").glob("*.out.qf"),
    ]
)
PLAIN = {
    "STRING": "string.",
    "INTEGER": "constant.numeric.",
    "DECIMAL": "constant.numeric.",
    "COMPARISON": "keyword.operator.comparison.",
}


def scopes_at(found: list[Scoped], line: int, column: int) -> tuple[str, ...]:
    (one,) = (s for s in found if s.line == line and s.start < column <= s.end)
    return one.scopes


def tokens(text: str) -> Iterator[tuple[Token, int]]:
    """What the parser reads, with the line it stands on."""
    for chunk in split(text):
        if chunk.is_item:
            interactive: Any = parser().parse_interactive(chunk.text, start="item")
            for token in interactive.iter_parse():
                yield token, int(token.line or 0) + chunk.line - 1


def expected(token: Token) -> tuple[str, ...]:
    """How the innermost scope of a token may begin."""
    if token.type in PLAIN:
        return (PLAIN[token.type],)
    if token.type == "NAME":
        return ("variable.", "entity.", "support.", "constant.language.boolean.")
    return ("keyword.declaration.", "keyword.control.", "keyword.other.", "constant.language.")


def wrong(text: str) -> list[str]:
    found = tokenize(GRAMMAR, text)
    bad = []
    for token, line in tokens(text):
        if not (token.type in PLAIN or str(token).isidentifier()):
            continue
        scope = scopes_at(found, line, int(token.column or 0))[-1]
        if not scope.startswith(expected(token)):
            bad.append(f"{line}:{token.column}: {token.type} {token} is {scope}")
    return bad


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_every_word_has_the_colour_of_what_it_is(path: Path) -> None:
    assert wrong(path.read_text(encoding="utf-8")) == []


def test_there_are_samples() -> None:
    assert len(SAMPLES) > 15


EVERYTHING = """\
qflow 1  # the edition
use "a.qf" as a
param top: int = 3 in 0..4
model m { a = {b: [1, 2]}; c = float32[N, 3] }
graph { wrap "f"; leaf type a.B in "x.**"; fuse conv + bn in "y" }
rules r { apply s; default float; match "x", op add except f(a = 1) optional patch { a = 1 } }
quantize { match "x" expect 2 use b with { c = true } }
schedule { stage s on d epochs 3 { lr = 1e-3; state "**" = qat; freeze bn "**" from epoch 2 } }
check { assert a.b is int32; warn no scale == 1.0 on d; assert f(x) >= 0.5 }
sweep p zip { a = [1, 2] }
export onnx "x\\n" { a = "b" }
"""


def test_every_construct() -> None:
    assert wrong(EVERYTHING) == []
    found = tokenize(GRAMMAR, EVERYTHING)

    def scope(line: int, word: str) -> str:
        return scopes_at(found, line, EVERYTHING.split("\n")[line - 1].index(word) + 1)[-1]

    assert scope(1, "qflow") == "keyword.declaration.qflow"
    assert scope(1, "# the") == "comment.line.number-sign.qflow"
    assert scope(3, "top") == "entity.name.section.qflow"
    assert scope(4, "a =") == "variable.other.property.qflow"
    assert scope(4, "b:") == "variable.other.property.qflow"
    assert scope(4, "float32") == "support.type.qflow"
    assert scope(6, "f(") == "support.function.qflow"
    assert scope(7, "expect") == "keyword.other.qflow"
    assert scope(7, "true") == "constant.language.boolean.qflow"
    assert scope(8, "stage") == "keyword.control.qflow"
    assert scope(8, "qat") == "constant.language.qflow"
    assert scope(8, "lr") == "variable.other.property.qflow"
    assert scope(11, "\\n") == "constant.character.escape.qflow"


def test_an_open_block_ends_where_the_next_item_begins() -> None:
    text = "qflow 1\nmodel m {\n  a = 1\ndata d { b = 2 }\n"
    found = tokenize(GRAMMAR, text)
    assert scopes_at(found, 4, 1)[-1] == "keyword.declaration.qflow"
    assert "meta.block.qflow" in scopes_at(found, 4, 10)


def test_words_inside_strings_and_comments_are_no_keywords() -> None:
    found = tokenize(GRAMMAR, 'model m { a = "match model"  # model "x"\n}\n')
    assert scopes_at(found, 1, 17)[-1] == "string.quoted.double.qflow"
    assert scopes_at(found, 1, 32)[-1] == "comment.line.number-sign.qflow"


def test_the_words_of_items_are_those_of_the_parser() -> None:
    names = {p["include"][1:] for p in GRAMMAR["patterns"] if "include" in p} - {"comment"}
    begins = " ".join(GRAMMAR["repository"][name]["begin"] for name in names)
    assert all(word in begins for word in ITEM_WORDS)


def test_what_is_written_is_current() -> None:
    command = [sys.executable, "editors/textmate.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"run `python editors/textmate.py`: {done.stdout}{done.stderr}"
