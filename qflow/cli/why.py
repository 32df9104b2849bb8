"""why: which line of a file decided each field of an address."""

from pathlib import Path

import click

from qflow.cli._options import color_option, examples, file_argument, set_option
from qflow.diagnostics import EXIT, Diagnostic, QflowError


@click.command(
    "why", epilog=examples("qflow why digits.qf stem.conv", 'qflow why digits.qf "head.**"')
)
@file_argument
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@set_option
@color_option
def command(file: Path, addresses: tuple[str, ...], settings: dict[str, str]) -> int:
    """Print what was decided at each ADDRESS (or glob) of FILE, and by which line."""
    from qflow.compile.front import planned
    from qflow.plan.why import why

    found, plan = planned(file, settings)
    parts: list[str] = []
    problems: list[Diagnostic] = []
    for address in addresses:
        try:
            parts.append(why(plan, address, found.text))
        except QflowError as error:
            problems += error.diagnostics
    click.echo("\n".join(parts), nl=False)
    if problems:
        raise QflowError(tuple(problems))
    return EXIT.yes
