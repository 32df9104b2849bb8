"""Python files the rules read: a script, or the source of a .qf file's model."""

from __future__ import annotations

from pathlib import Path

from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, QflowError, Span, fail, sort
from qflow.lang.sources import DISK, Sources
from qflow.lint import run_script
from qflow.lint._script import Script, read


def script(path: Path, sources: Sources = DISK) -> tuple[tuple[Diagnostic, ...], dict[str, str]]:
    """What the rules say of a Python file, and its text by path.

    Raises QflowError: QF302 or QF107 when it cannot be read, QF105 when it is no Python.
    """
    shown = path.as_posix()
    text = sources.text(path, shown)
    try:
        found = _said(read(shown, text))
    except QflowError as error:
        error.sources = {shown: text}
        raise
    return found, {shown: text}


def model_source(
    path: Path, unit: Unit, sources: Sources = DISK
) -> tuple[tuple[Diagnostic, ...], dict[str, str]]:
    """What the rules say of the file the entry point names, where it lies beside the .qf file.

    It is read as text and never imported. A file that is elsewhere, or that cannot be read, says
    nothing here: loading the model will.
    """
    if unit.model is None or not unit.model.entry:
        return (), {}
    module = unit.model.entry.partition(":")[0]
    parts = module.split(".")
    file = path.parent.joinpath(*parts).with_suffix(".py")
    if not all(p.isidentifier() for p in parts) or not sources.exists(file):
        return (), {}
    shown = file.as_posix()
    leaves = (t.rpartition(".")[2] for t in unit.graph.leaf_types)
    kept = {*leaves, *(w.rpartition(":")[2] for w, _ in unit.graph.wraps)}
    try:
        text = sources.text(file, shown)
        return _said(read(shown, text, frozenset(kept))), {shown: text}
    except QflowError:
        # what is wrong with the file itself is said where the model is loaded
        return (), {}


def _said(file: Script) -> tuple[Diagnostic, ...]:
    """Every rule's findings. Raises QflowError: QF105 for a text nested deeper than Python is."""
    try:
        return sort(run_script(file))
    except RecursionError as error:
        start = Span(file.path, 1, 1, 1, 2)
        raise fail(Diagnostic("QF105", "this file is nested too deeply", at=start)) from error
