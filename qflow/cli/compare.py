"""compare: lanes of one model in lock step: the first tensor that differs, why, and all of them."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import click

from qflow.cli._options import examples, file_argument, shared_options
from qflow.cli._report import report, session, wants_color
from qflow.diagnostics import EXIT, Diagnostic, QflowError

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
    every tensor. Exit code 1 where `integer` and `oracle`, which must be equal, are not. With a
    machine format the findings go to standard output, with `json` the rows as well, and everything
    for people to standard error.
    """
    from rich.console import Console as Screen

    from qflow.engine.console import Console
    from qflow.engine.lockstep import lockstep

    for_people, color = output_format == "text", session().color
    waiting: list[Diagnostic] = []

    def screen(stream: IO[str]) -> Screen:
        return Screen(
            file=stream,
            force_terminal=True if color == "always" else None,
            no_color=not wants_color(color, stream),
        )

    def tell(diagnostics: Iterable[Diagnostic]) -> None:
        if for_people:
            report(diagnostics, err=True)
        else:
            waiting.extend(diagnostics)

    names = tuple(name.strip() for name in lanes.split(",") if name.strip())
    chosen = (data, samples)
    try:
        found = lockstep(file, settings, out, names, chosen, Console(screen(sys.stderr), tell))
    except QflowError as error:
        error.diagnostics = (*waiting, *error.diagnostics)
        raise
    from qflow.engine.parting import as_json, show

    if output_format == "json":
        click.echo(as_json(found, waiting))
    else:
        screen(sys.stdout if for_people else sys.stderr).print(show(found))
        if not for_people:
            report(waiting)
    exact = [c for c in found if set(c.lanes) == {"integer", "oracle"}]
    return EXIT.no if any(c.first for c in exact) else EXIT.yes
