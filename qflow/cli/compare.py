"""compare: lanes of one model in lock step: the first tensor that differs, why, and all of them."""

import sys
from pathlib import Path

import click

from qflow.cli._options import examples, file_argument, shared_options
from qflow.cli._report import report, session, wants_color
from qflow.diagnostics import EXIT

LANES = "fake_quant,integer"


@click.command(
    "compare",
    epilog=examples(
        "qflow compare digits.qf",
        "qflow compare digits.qf --lanes float,fake_quant,integer,onnxruntime",
        "qflow compare digits.qf --lanes integer,oracle --samples 64 --format json",
    ),
)
@file_argument
@click.option(
    "--lanes",
    default=LANES,
    show_default=True,
    metavar="A,B[,C...]",
    help="float, fake_quant, integer, oracle, export.<target> (onnxruntime for export.onnx) or "
    "emulator@export.<target>; each is compared with the one before it.",
)
@click.option("--data", metavar="NAME", help="Data block instead of the one the run is judged on.")
@click.option(
    "--samples", type=click.IntRange(min=1), metavar="N", help="Only the first N samples."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the run instead of runs/<name of FILE>.",
)
@shared_options
def command(
    file: Path,
    lanes: str,
    data: str | None,
    samples: int | None,
    out: Path | None,
    settings: dict[str, str],
    output_format: str,
) -> int:
    """Run FILE as far as it is not done, and compare what its lanes compute, tensor by tensor.

    For each pair: the first tensor that differs, by how many steps of its grid, and the cause; then
    every tensor. Exit code 1 where `integer` and `oracle`, which must be equal, are not. With
    `--format json` the rows go to standard output.
    """
    from rich.console import Console as Screen

    from qflow.engine.console import Console
    from qflow.engine.lockstep import lockstep

    for_people = output_format == "text"
    color = session().color
    errors = Screen(
        file=sys.stderr,
        force_terminal=True if color == "always" else None,
        no_color=not wants_color(color, sys.stderr),
    )
    console = Console(errors, lambda found: report(found, err=True))
    names = tuple(name.strip() for name in lanes.split(",") if name.strip())
    found = lockstep(file, settings, out, names, (data, samples), console)
    if for_people:
        from qflow.engine.parting import show

        screen = Screen(
            file=sys.stdout,
            force_terminal=True if color == "always" else None,
            no_color=not wants_color(color, sys.stdout),
        )
        screen.print(show(found))
    else:
        from qflow.engine.parting import as_json

        click.echo(as_json(found))
    exact = [c for c in found if set(c.lanes) == {"integer", "oracle"}]
    return EXIT.no if any(c.first for c in exact) else EXIT.yes
