"""Text in, text out: tests/cases/syntax/NAME.qf is reported as NAME.expected, to the letter."""

from pathlib import Path

import pytest

from qflow.diagnostics.renderers.text import Text
from qflow.lang.parse import parse

CASES = sorted((Path(__file__).parents[1] / "cases" / "syntax").glob("*.qf"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parsed = parse(text, path.name)
    expected = path.with_suffix(".expected").read_text(encoding="utf-8")
    assert Text().render(parsed.diagnostics, {path.name: text}) == expected
    assert (parsed.file is None) == bool(expected)


def test_there_are_cases() -> None:
    assert len(CASES) > 20
