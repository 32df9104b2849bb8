"""fmt: files in their one canonical form."""

import difflib
import sys
from pathlib import Path

import click

from qflow import atomic
from qflow.cli._options import color_option, examples, files_argument, format_option
from qflow.cli._report import report
from qflow.diagnostics import EXIT, Diagnostic, QflowError, fail

STDIN = Path("-")
"""The argument that stands for standard input."""


@click.command(
    epilog=examples(
        "qflow fmt pipelines/*.qf",
        "qflow fmt --check --diff digits.qf",
        "qflow fmt - < digits.qf",
    )
)
@files_argument
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
@format_option
@color_option
def command(files: tuple[Path, ...], check: bool, diff: bool, output_format: str) -> int:
    """Write FILES in their one canonical form.

    Comments stay where they are. A file with mistakes is reported and left as it is. The file `-`
    is standard input, whose canonical form goes to standard output.
    """
    if STDIN in files and len(files) > 1:
        raise click.UsageError("`-` is standard input and stands alone")
    changed = 0
    errors: list[Diagnostic] = []
    sources: dict[str, str] = {}
    for path in dict.fromkeys(files):
        try:
            changed += _format(path, write=not (check or diff), diff=diff)
        except QflowError as error:
            errors += error.diagnostics
            sources |= error.sources
    if errors or output_format != "text":
        report(errors, sources, err=True)
    if errors:
        return EXIT.cannot
    return EXIT.no if check and changed else EXIT.yes


def _format(path: Path, write: bool, diff: bool) -> bool:
    """Whether the file is not in canonical form; then it is written, or the difference shown."""
    from qflow.lang.format import format_text
    from qflow.lang.source import decode, read_bytes

    shown = "<stdin>" if path == STDIN else path.as_posix()
    if path == STDIN:
        raw = sys.stdin.buffer.read()
    else:
        raw = read_bytes(path, shown)
    before = decode(raw, shown)
    after = format_text(before, shown)
    encoded = _with_line_ends_of(raw, after)
    if path == STDIN and write:
        sys.stdout.buffer.write(encoded)
        return encoded != raw
    if encoded == raw:
        return False
    if diff:
        _show_difference(before, after, shown)
    if write:
        _replace(path, encoded)
    click.echo(f"{'formatted' if write else 'would format'} {shown}", err=True)
    return True


def _with_line_ends_of(raw: bytes, text: str) -> bytes:
    """Line ends are the editor's and git's business: those of the first line stay."""
    first_line = raw.split(b"\n", 1)[0]
    return text.replace("\n", "\r\n" if first_line.endswith(b"\r") else "\n").encode()


def _show_difference(before: str, after: str, shown: str) -> None:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), shown, f"{shown} (formatted)", lineterm=""
    )
    click.echo("\n".join(lines) or f"{shown}: only a byte order mark or line ends differ")


def _replace(path: Path, content: bytes) -> None:
    try:
        atomic.write(path, content)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> QflowError:
    return fail(Diagnostic("QF316", f"cannot write `{path.as_posix()}`: {error.strerror}"))
