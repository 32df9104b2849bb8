"""convert: a .qf file as YAML, or YAML as a .qf file."""

import os
from pathlib import Path

import click

from qflow import atomic
from qflow.cli._options import color_option, examples, format_option
from qflow.cli._report import report
from qflow.diagnostics import EXIT, Diagnostic, QflowError, fail


@click.command(
    "convert",
    epilog=examples(
        "qflow convert digits.qf digits.yaml",
        "qflow convert digits.yaml digits.qf --force",
        "qflow convert digits.qf -",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("to", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@format_option
@color_option
def command(file: Path, to: Path, force: bool, output_format: str) -> int:
    """Write FILE, which is .qf or YAML, in the other form to TO (`-`: standard output).

    Both say the same: the same program, and the same plan. Comments are carried over; a note says
    which of them had to move.
    """
    from qflow.lang.source import read_text
    from qflow.lang.yaml.convert import convert

    shown = file.as_posix()
    to_screen = str(to) == "-"
    if not to_screen:
        _check(file, to, force)
    text = read_text(file, shown)
    result, notes = convert(text, shown)
    if to_screen:
        report(notes, {shown: text}, err=True)
        click.echo(result, nl=False)
        return EXIT.yes
    _write(to, result)
    report([*notes, *_moved(file, to)], {shown: text}, err=True)
    click.echo(f"wrote {to.as_posix()}", err=True)
    return EXIT.yes


def _check(file: Path, to: Path, force: bool) -> None:
    """Raises QflowError QF316 when `to` is of the same form, or is there already."""
    from qflow.lang.either import YAML, is_yaml

    wanted = (".qf",) if is_yaml(file.name) else YAML
    if to.suffix not in wanted:
        message = f"`{file.as_posix()}` is converted to {' or '.join(wanted)}, not to `{to.name}`"
        raise fail(Diagnostic("QF316", message, help=f"write `{to.stem}{wanted[0]}`"))
    if to.exists() and not force:
        message = f"`{to.as_posix()}` is there already"
        raise fail(Diagnostic("QF316", message, help="add `--force` to replace it"))


def _write(to: Path, text: str) -> None:
    try:
        atomic.write(to, text)
    except OSError as error:
        raise _unwritable(to, error) from error


def _unwritable(to: Path, error: OSError) -> QflowError:
    return fail(Diagnostic("QF316", f"cannot write `{to.as_posix()}`: {error.strerror}"))


def _moved(file: Path, to: Path) -> list[Diagnostic]:
    """A note when paths in the file now mean other files."""
    if os.path.realpath(file.parent) == os.path.realpath(to.parent):
        return []
    message = f"paths in `{to.as_posix()}` are relative to its own folder, which is another one"
    return [Diagnostic("QF147", message, severity="note")]
