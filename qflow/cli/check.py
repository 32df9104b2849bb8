"""check: whether files are valid: parse, resolve, compile, lint; every problem at once."""

from pathlib import Path

import click

from qflow.cli._options import examples, files_argument, shared_options
from qflow.cli._report import report
from qflow.diagnostics import EXIT, Diagnostic, QflowError, has_errors


@click.command(
    "check",
    epilog=examples("qflow check digits.qf", "qflow check *.qf --locked", "qflow check train.py"),
)
@files_argument
@click.option("--locked", is_flag=True, help="The lock must be there and fit; for CI.")
@shared_options
def command(
    files: tuple[Path, ...], locked: bool, settings: dict[str, str], output_format: str
) -> int:
    """Say everything that is wrong with FILES. Runs nothing; needs no torch.

    Without a lock only what needs no model is checked. The Python file of the model is read along,
    and a Python script can be checked itself: as text, for the order of its calls and for what its
    modules do. Exit code 1: errors were found.
    """
    from qflow.lint.findings import findings

    found: list[Diagnostic] = []
    sources: dict[str, str] = {}
    unreadable = False
    for path in files:
        try:
            about = findings(path, settings, locked)
        except QflowError as error:
            unreadable = True
            found += error.diagnostics
            sources.update(error.sources)
            continue
        found += (*about.diagnostics, *about.allowed)
        sources.update(about.sources)
    report(found, sources)
    if output_format == "text" and all(d.allowed for d in found):
        click.echo(f"{len(files)} file{'s' if len(files) > 1 else ''} checked, nothing to say")
    if unreadable:
        return EXIT.cannot
    return EXIT.no if has_errors(found) else EXIT.yes
