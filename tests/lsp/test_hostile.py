"""Questions about any place of any text have an answer or a reason, and never end the server."""

import random
from contextlib import suppress
from pathlib import Path

import pytest

from fuzz.__main__ import SEEDS
from fuzz.mutate import mutated
from qflow.lang.source import normalize
from qflow.lsp.analysis import analyse
from qflow.lsp.completion import completion
from qflow.lsp.definition import definition
from qflow.lsp.hover import hover
from qflow.lsp.rename import Refused, rename
from qflow.lsp.report import actions, reports
from qflow.lsp.text import Text
from tests.lsp.known import CURSOR, DIGITS, digits

PROGRAM = DIGITS.read_text(encoding="utf-8")


def asked(text: str) -> None:
    """Every question at one place."""
    known, line, column = digits(text)
    completion(known, line, column)
    hover(known, line, column)
    definition(known, line, column)
    with suppress(Refused):
        assert all(rename(known, line, column, "fresh").values())


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_program(seed: int) -> None:
    rng = random.Random(seed)
    text = normalize(mutated([PROGRAM], rng).replace(CURSOR, ""))
    at = rng.randrange(len(text) + 1)
    asked(text[:at] + CURSOR + text[at:])


@pytest.mark.parametrize("path", sorted(SEEDS.iterdir()), ids=lambda p: p.stem)
def test_a_kept_text_is_analysed(path: Path) -> None:
    text = Text(path.read_bytes().decode("utf-8", "replace"))
    known = analyse(Path("/nowhere/f.qf"), 1, text, {}, None)
    found = reports(known, lambda path: path)
    assert len(found["/nowhere/f.qf"]) == len(known.diagnostics)
    for diagnostic in found["/nowhere/f.qf"]:
        assert diagnostic.range.start <= diagnostic.range.end
    actions(known, 1, 99, lambda path: path)


def test_a_file_that_imports_itself_is_followed_to_an_end(tmp_path: Path) -> None:
    path = tmp_path / "a.qf"
    path.write_text('qflow 1\nuse "a.qf" as a\nquantize { default use a.a.a.q }\n')
    known = analyse(path, 1, Text(path.read_text()), {}, None)
    assert "QF116" in {d.code for d in known.diagnostics}
    assert definition(known, 3, 27) is None
    assert hover(known, 3, 27) is None


def test_places_of_any_file_that_was_never_there() -> None:
    known = analyse(Path("/nowhere/f.qf"), 1, Text('qflow 1\nuse "b.qf" as b\n'), {}, None)
    assert definition(known, 2, 6) is None
    assert "QF302" in {d.code for d in known.diagnostics}
