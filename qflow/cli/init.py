"""init: a commented pipeline to start from; never overwrites anything."""

from pathlib import Path

import click

from qflow.cli._options import examples
from qflow.diagnostics import EXIT, Diagnostic, fail

ATTRIBUTES = "*.qf linguist-language=HCL"
"""Gives .qf files highlighting in web diffs."""


@click.command("init", epilog=examples("qflow init", "qflow init pipelines/detector.qf"))
@click.argument("path", type=click.Path(path_type=Path), default=Path("pipeline.qf"))
def command(path: Path) -> int:
    """Write a starter pipeline to PATH (pipeline.qf), and a line into .gitattributes beside it."""
    from qflow import resources

    if path.is_dir():
        path = path / "pipeline.qf"
    text = (resources.folder("conf") / "starter.qf").read_text(encoding="utf-8")
    _write_new(path, text)
    click.echo(f"wrote {path.as_posix()}; its comments say what to replace")
    if _attribute(path.parent / ".gitattributes"):
        click.echo(f"added `{ATTRIBUTES}` to {(path.parent / '.gitattributes').as_posix()}")
    click.echo(f"next: `qflow check {path.as_posix()}`, then `qflow lock {path.as_posix()}`")
    return EXIT.yes


def _write_new(path: Path, text: str) -> None:
    """Raises QflowError QF316 when there is such a file, or it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        if path.exists():
            message = f"`{path.as_posix()}` exists, and `init` never overwrites"
            help_ = "give another name: `qflow init other.qf`"
            raise fail(Diagnostic("QF316", message, help=help_)) from error
        message = f"cannot write `{path.as_posix()}`: {error.strerror}"
        raise fail(Diagnostic("QF316", message)) from error


def _attribute(path: Path) -> bool:
    """Append the line unless the file has it; whether it was added."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if ATTRIBUTES in text.splitlines():
        return False
    start = "" if not text or text.endswith("\n") else "\n"
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{start}{ATTRIBUTES}\n")
    except OSError as error:
        message = f"cannot write `{path.as_posix()}`: {error.strerror}"
        raise fail(Diagnostic("QF316", message)) from error
    return True
