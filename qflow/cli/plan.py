"""plan: every decision a file makes, as text or JSON, or the points of a sweep; runs no work."""

from pathlib import Path

import click

from qflow.cli._options import examples, file_argument, shared_options
from qflow.cli._report import report
from qflow.cli._varied import VariedCommand, multirun_option, sweep_option
from qflow.diagnostics import EXIT


@click.command(
    "plan",
    cls=VariedCommand,
    epilog=examples(
        "qflow plan digits.qf",
        "qflow plan digits.qf --format json",
        "qflow plan digits.qf -m act=int8,int16 rounds=0,2",
    ),
)
@file_argument
@multirun_option
@sweep_option
@shared_options
def command(
    file: Path,
    varied: dict[str, tuple[str, ...]],
    sweep: str | None,
    settings: dict[str, str],
    output_format: str,
) -> int:
    """Print the plan of FILE: per address every decision and the lines that made it.

    With `-m` or `--sweep` one line per point: what it takes, the dtypes of its modules, and a
    digest that two points share when they do the same. What is wrong at any point is said first.
    """
    if varied or sweep is not None:
        return _sweep(file, sweep, varied, settings, output_format)
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


def _sweep(
    file: Path,
    sweep: str | None,
    varied: dict[str, tuple[str, ...]],
    settings: dict[str, str],
    output_format: str,
) -> int:
    from qflow.cli._points import show
    from qflow.compile.many import compiled

    return show(compiled(file, sweep, varied, settings), output_format)
