"""sensitivity: how much each quantized tensor alone disturbs the outputs, as a table."""

import sys
from pathlib import Path

import click

from qflow.cli._options import examples, file_argument, shared_options
from qflow.cli._report import report, session, wants_color
from qflow.diagnostics import EXIT


@click.command(
    "sensitivity",
    epilog=examples(
        "qflow sensitivity digits_mixed.qf",
        "qflow sensitivity digits_mixed.qf sens --out tables",
        "qflow sensitivity digits_mixed.qf --from output_logits_cosine_sensitive_ops.pt",
    ),
)
@file_argument
@click.argument("name", required=False)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="TABLE",
    help="Take over this table (.pt or JSON lines) instead of measuring.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write output_<name>_<metric>_sensitive_ops.pt and .txt there as well.",
)
@shared_options
def command(
    file: Path,
    name: str | None,
    source: Path | None,
    out: Path | None,
    settings: dict[str, str],
    output_format: str,
) -> int:
    """Measure the table of the `sensitivity` block NAME (the only one) of FILE, beside FILE.

    Each quantized tensor alone is quantized and all others are float. A measurement that was
    stopped goes on where it was. With `--format json` the table goes to standard output.
    """
    from rich.console import Console as Screen

    from qflow.engine import tabulate
    from qflow.engine.console import Console

    screen = Screen(
        file=sys.stderr,
        force_terminal=True if session().color == "always" else None,
        no_color=not wants_color(session().color, sys.stderr),
    )
    console = Console(screen, lambda found: report(found, err=True))
    if source is not None:
        found = tabulate.convert(file, name, settings, source)
        click.echo(f"wrote {found.path.as_posix()} from {source.as_posix()}", err=True)
    else:
        found = tabulate.measure(file, name, settings, console)
    written = tabulate.save_pt(found, out) if out is not None else ()
    for path in written:
        click.echo(f"wrote {path.as_posix()}", err=True)
    if output_format == "json":
        from qflow.plan.sensitivity import render

        click.echo(render(found.table), nl=False)
    else:
        click.echo(found.text(), nl=False)
    return EXIT.yes
