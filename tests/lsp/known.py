"""Analyses of texts for tests, with the lock of the digits pipeline."""

from functools import cache
from pathlib import Path

from qflow.lsp.analysis import Analysis, analyse, reread
from qflow.lsp.text import Text

DIGITS = Path(__file__).parents[2] / "pipelines" / "digits.qf"
CURSOR = "\u2038"
"""Where the cursor stands in the texts of these tests."""


@cache
def _digits() -> Analysis:
    return analyse(DIGITS, 1, Text(DIGITS.read_text(encoding="utf-8")), {}, None)


def digits(text: str) -> tuple[Analysis, int, int]:
    """What is known while the digits pipeline says `text`, and the place of the cursor in it."""
    before, _, after = text.partition(CURSOR)
    lines = before.split("\n")
    return reread(_digits(), 2, Text(before + after)), len(lines), len(lines[-1]) + 1
