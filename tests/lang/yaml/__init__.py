"""What the tests of the YAML form share."""

from dataclasses import replace

from qflow.diagnostics import Span
from qflow.lang.program import Program

NOWHERE = Span("", 1, 1, 1, 1)


def said(program: Program) -> Program:
    """A program as what it says: without its path and extent; spans of nodes never compare."""
    return replace(program, path="", span=NOWHERE, parts=())
