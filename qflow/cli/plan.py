"""plan: every decision a file makes, as text or JSON; runs no work."""

from pathlib import Path

import click

from qflow.cli._options import examples, file_argument, shared_options
from qflow.cli._report import report
from qflow.diagnostics import EXIT


@click.command(
    "plan", epilog=examples("qflow plan digits.qf", "qflow plan digits.qf --format json")
)
@file_argument
@shared_options
def command(file: Path, settings: dict[str, str], output_format: str) -> int:
    """Print the plan of FILE: per address every decision and the lines that made it."""
    from qflow.compile.front import planned

    found, plan = planned(file, settings)
    if output_format == "json":
        from qflow.plan.json import dumps

        click.echo(dumps(plan), nl=False)
        return EXIT.yes
    from qflow.plan.text import render

    # what is said about the plan must not get into a file the plan is written to
    report(found.diagnostics, found.sources, err=True)
    click.echo(render(plan), nl=False)
    return EXIT.yes
