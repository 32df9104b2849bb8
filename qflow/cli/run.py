"""run: everything a file describes, from calibration to a verified export; or all of a sweep."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qflow.cli._options import examples, file_argument, shared_options
from qflow.cli._report import keep_crashes_in, report, session, wants_color
from qflow.cli._sweeping import Running, refuse_without_sweep, run_sweep, running_options
from qflow.cli._varied import VariedCommand, multirun_option, sweep_option
from qflow.diagnostics import Diagnostic, QflowError

if TYPE_CHECKING:
    from qflow.engine.console import Console


@click.command(
    "run",
    cls=VariedCommand,
    epilog=examples(
        "qflow run digits.qf",
        "qflow run digits.qf --set act=int16 --out runs/int16",
        "qflow run digits.qf --from calibrate",
        "qflow run digits.qf -m act=int8,int16 rounds=0,2",
        "qflow run digits.qf -m act=int8,int16 --launcher joblib --workers 2",
        "qflow run digits.qf -m act=int8,int16 --resume",
    ),
)
@file_argument
@multirun_option
@sweep_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder instead of runs/<name of FILE>, or for a sweep instead of sweeps/<name of FILE>.",
)
@click.option(
    "--from", "from_stage", metavar="STAGE", help="Make this stage and all later ones again."
)
@running_options
@shared_options
def command(
    file: Path,
    varied: dict[str, tuple[str, ...]],
    sweep: str | None,
    out: Path | None,
    from_stage: str | None,
    settings: dict[str, str],
    output_format: str,
    **given: Any,
) -> int:
    """Run FILE. Stages whose inputs did not change are reused; a run that was killed goes on.

    With `-m` or `--sweep` every point is compiled first, and frozen; then they run, and are
    compared in a table. The exit code is that of the worst point.

    Exit code 1: an `assert` of the file is false. With a machine format the findings go to standard
    output, once, at the end, and everything for people to standard error.
    """
    running = Running(**given)
    if not (varied or sweep is not None or running.resume):
        refuse_without_sweep(running)
        return _told(output_format, lambda console: _run(file, settings, out, from_stage, console))
    if from_stage is not None:
        raise click.UsageError("--from is for a single run, not for a sweep")
    return _told(
        output_format,
        lambda console: run_sweep(file, sweep, varied, settings, out, running, console),
    )


def _run(
    file: Path,
    settings: dict[str, str],
    out: Path | None,
    from_stage: str | None,
    console: Console,
) -> int:
    from qflow.engine.run import run, run_folder

    keep_crashes_in(run_folder(file, out))
    return run(file, settings, out, from_stage, console)


def _told(output_format: str, work: Callable[[Console], int]) -> int:
    """Its exit code; what it finds is printed in the format asked for."""
    from rich.console import Console as Screen

    from qflow.engine.console import Console

    for_people = output_format == "text"
    stream = sys.stdout if for_people else sys.stderr
    screen = Screen(
        file=stream,
        force_terminal=True if session().color == "always" else None,
        no_color=not wants_color(session().color, stream),
    )
    waiting: list[Diagnostic] = []

    def tell(found: Iterable[Diagnostic]) -> None:
        if for_people:
            report(found, err=True)
        else:
            waiting.extend(found)

    try:
        code = work(Console(screen, tell))
    except QflowError as error:
        error.diagnostics = (*waiting, *error.diagnostics)
        raise
    if not for_people:
        report(waiting)
    return code
