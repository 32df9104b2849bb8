"""tables: what came of every table a file takes scales from; nothing runs."""

import json
from pathlib import Path

import click

from qflow.cli._options import examples, file_argument, shared
from qflow.cli._report import report
from qflow.diagnostics import EXIT, has_errors


@click.command(
    "tables",
    epilog=examples(
        "qflow tables digits.qf",
        "qflow tables digits.qf --format json",
    ),
)
@file_argument
@shared("text", "json")
def command(file: Path, settings: dict[str, str], output_format: str) -> int:
    """Print, for every `scales from` of FILE, each tensor with the entry it takes its scale from.

    A tensor is matched, guessed, missing or ambiguous. What is missing or ambiguous and not
    allowed is an error, with exit code 2; the table is printed all the same.
    """
    from qflow.compile.front import front, unplanned
    from qflow.tables.report import plain, text

    found = front(file, settings)
    imports = found.unit.imports if found.unit is not None else ()
    wrong = has_errors(found.diagnostics)
    if output_format == "json" and (imports or not wrong):
        click.echo(json.dumps(plain(imports), indent=2, ensure_ascii=False))
        # the document says what is missing; a second one behind it would be none
        return EXIT.cannot if wrong else EXIT.yes
    if imports:
        click.echo(text(imports), nl=False)
    elif found.plan is not None:
        click.echo(f"{file.as_posix()} takes no scales from a table")
    if wrong:
        raise unplanned(found)
    report(found.diagnostics, found.sources)
    return EXIT.yes
