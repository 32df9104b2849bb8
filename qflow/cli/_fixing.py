"""Writing what `check --fix` changed, and showing it."""

import difflib
from pathlib import Path

import click

from qflow import atomic
from qflow.cli._report import session
from qflow.diagnostics import Diagnostic, fail
from qflow.lint.mending import Mended


def write(path: Path, text: str) -> None:
    """Replace the file at once. Raises QflowError QF316 when it cannot be written."""
    try:
        atomic.write(path, text.encode("utf-8", errors="surrogateescape"))
    except OSError as error:
        message = f"cannot write `{path.as_posix()}`: {error.strerror}"
        raise fail(Diagnostic("QF316", message)) from error


def show(path: Path, mended: Mended) -> None:
    """The difference, and a line per finding; beside machine formats on standard error."""
    shown = path.as_posix()
    lines = difflib.unified_diff(
        mended.before.splitlines(),
        mended.after.splitlines(),
        shown,
        f"{shown} (fixed)",
        lineterm="",
    )
    said = [f"fixed {d.code} {d.at}: {d.message}" for d in mended.done]
    click.echo("\n".join([*lines, *said, ""]), err=session().output_format != "text")
