"""The language: text to syntax tree to program, and back to one canonical text."""

from pathlib import Path

from qflow.diagnostics import QflowError
from qflow.lang.program import Program, program_of
from qflow.lang.source import read_text


def load(path: Path) -> Program:
    """Read and parse a file.

    Raises QflowError, with the text among its sources, when it cannot be read or has mistakes.
    """
    from qflow.lang.parse import parse  # here, so that `lang.syntax` costs no parser

    shown = path.as_posix()
    text = read_text(path, shown)
    parsed = parse(text, shown)
    if parsed.file is None:
        raise QflowError(parsed.diagnostics, sources={shown: text})
    return program_of(parsed.file)
