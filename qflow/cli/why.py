"""why: which line of a file decided each field of an address."""

import json
from pathlib import Path

import click

from qflow.cli._options import examples, file_argument, shared
from qflow.diagnostics import EXIT, Diagnostic, QflowError


@click.command(
    "why",
    epilog=examples(
        "qflow why digits.qf stem.conv",
        "qflow why digits.qf stem.conv --field act.dtype",
        'qflow why digits.qf "head.**" --format json',
    ),
)
@file_argument
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option(
    "--field",
    default="",
    metavar="FIELD",
    help="Only this field, such as act.dtype, or those of act; with every rule that matched.",
)
@shared("text", "json")
def command(
    file: Path,
    addresses: tuple[str, ...],
    field: str,
    settings: dict[str, str],
    output_format: str,
) -> int:
    """Print what was decided at each ADDRESS (or glob) of FILE, and by which line."""
    from qflow.compile.front import planned
    from qflow.plan.why import FORMAT_VERSION, plain, why

    found, plan = planned(file, settings)
    texts: list[str] = []
    records: list[object] = []
    problems: list[Diagnostic] = []
    for address in addresses:
        try:
            if output_format == "json":
                records += plain(plan, address, found.sources, field)
            else:
                texts.append(why(plan, address, found.sources, field))
        except QflowError as error:
            problems += error.diagnostics
    if output_format == "json" and not problems:
        data = {"format_version": FORMAT_VERSION, "addresses": records}
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    click.echo("\n".join(texts), nl=False)
    if problems:
        raise QflowError(tuple(problems))
    return EXIT.yes
