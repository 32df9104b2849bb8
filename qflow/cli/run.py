"""run: everything a file describes, from calibration to a verified export."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from qflow.cli._options import examples, file_argument, shared_options
from qflow.cli._report import keep_crashes_in, report, session, wants_color
from qflow.diagnostics import Diagnostic, QflowError


@click.command(
    "run",
    epilog=examples(
        "qflow run digits.qf",
        "qflow run digits.qf --set act=int16 --out runs/int16",
        "qflow run digits.qf --from calibrate",
    ),
)
@file_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the run instead of runs/<name of FILE>.",
)
@click.option(
    "--from", "from_stage", metavar="STAGE", help="Make this stage and all later ones again."
)
@shared_options
def command(
    file: Path,
    out: Path | None,
    from_stage: str | None,
    settings: dict[str, str],
    output_format: str,
) -> int:
    """Run FILE. Stages whose inputs did not change are reused; a run that was killed goes on.

    Exit code 1: an `assert` of the file is false. With a machine format the findings go to standard
    output, once, at the end, and everything for people to standard error.
    """
    from rich.console import Console as Screen

    from qflow.engine.console import Console
    from qflow.engine.run import run, run_folder

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

    keep_crashes_in(run_folder(file, out))
    try:
        code = run(file, settings, out, from_stage, Console(screen, tell))
    except QflowError as error:
        error.diagnostics = (*waiting, *error.diagnostics)
        raise
    if not for_people:
        report(waiting)
    return code
