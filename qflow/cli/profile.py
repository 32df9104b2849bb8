"""profile: how long each operator of the integer model takes, and on what carrier."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from qflow.cli._options import examples, file_argument, shared_options
from qflow.cli._report import report, session, wants_color
from qflow.diagnostics import EXIT, Diagnostic


@click.command(
    "profile",
    epilog=examples(
        "qflow profile digits.qf",
        "qflow profile digits.qf --batch 8 --runs 20 --threads 2",
        "qflow profile runs/digits/integer.safetensors --device cuda --format json",
    ),
)
@file_argument
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    metavar="N",
    help="Samples per run.",
)
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="Runs that are timed; the median counts.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="Threads of torch; as many as it takes by itself if not given.",
)
@click.option(
    "--device", default="cpu", show_default=True, metavar="NAME", help="cpu, cuda or cuda:1."
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
    batch: int,
    runs: int,
    threads: int | None,
    device: str,
    out: Path | None,
    settings: dict[str, str],
    output_format: str,
) -> int:
    """Time every operator of the integer model of FILE on random inputs.

    FILE is a .qf file, which is run as far as it is not done, or an integer file. The table says
    where each operator makes its sums (its carrier), how large a sum can get, and why that carrier
    was chosen. All carriers give the same integers.
    """
    from rich.console import Console as Screen

    from qflow.engine.console import Console
    from qflow.engine.profiling import Setting, profile

    def screen(is_error: bool) -> Screen:
        stream = sys.stderr if is_error else sys.stdout
        return Screen(
            file=stream,
            force_terminal=True if session().color == "always" else None,
            no_color=not wants_color(session().color, stream),
        )

    def tell(diagnostics: Iterable[Diagnostic]) -> None:
        report(diagnostics, err=True)

    setting = Setting(batch, runs, threads, device)
    found = profile(file, settings, out, setting, Console(screen(True), tell))
    from qflow.engine.profiled import as_json, show

    if output_format == "json":
        click.echo(as_json(found))
    else:
        screen(output_format != "text").print(show(found))
    return EXIT.yes
