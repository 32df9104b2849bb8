"""The language: text to syntax tree to program, and back to one canonical text."""

from pathlib import Path

from qflow.diagnostics import QflowError, has_errors
from qflow.lang.program import Program, program_of
from qflow.lang.source import read_text


def load(path: Path) -> Program:
    """Read and parse a file and all it imports, as one program.

    Raises QflowError, with the texts among its sources, when one cannot be read or has mistakes.
    """
    from qflow.lang.either import parse_file  # here, so that `lang.syntax` costs no parser
    from qflow.lang.imports import imported

    shown = path.as_posix()
    text = read_text(path, shown)
    parsed = parse_file(text, shown)
    if parsed.file is None:
        raise QflowError(parsed.diagnostics, sources={shown: text})
    whole = imported(program_of(parsed.file))
    if has_errors(whole.diagnostics):
        raise QflowError(whole.diagnostics, sources={shown: text, **whole.texts})
    return whole.program
