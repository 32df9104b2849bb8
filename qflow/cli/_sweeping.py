"""Options of `qflow run` over the points of a sweep, and what it does with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qflow import registry
from qflow.cli._options import F
from qflow.cli._report import keep_crashes_in
from qflow.records import dataclass

if TYPE_CHECKING:
    from qflow.engine.console import Console

KIND, SAMPLERS = "sweep.launchers", "sweep.samplers"
DEFAULT = "basic"


@dataclass(frozen=True)
class Running:
    """How the points are run: what `running_options` reads, by name."""

    launcher: str | None = None
    workers: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    threads: int | None = None
    resume: bool = False
    sampler: str | None = None
    trials: int | None = None
    seed: int | None = None
    objective: str | None = None
    against: str | None = None

    @property
    def all_options(self) -> dict[str, str]:
        """As `sweep.choosing` takes them."""
        given = {} if self.workers is None else {"workers": str(self.workers)}
        return {**given, **dict(self.options)}


def running_options(function: F) -> F:
    """Gives the fields of `Running`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def refuse_without_sweep(running: Running) -> None:
    """Raises click.UsageError for an option that a single run has not got."""
    if running != Running():
        raise click.UsageError(
            "--launcher, --workers, --launcher-option, --threads, --sampler, --trials, --seed, "
            "--objective and --against are for sweeps: "
            "give `-m NAME=VALUE,VALUE` or `--sweep NAME`"
        )


def run_sweep(
    file: Path,
    sweep: str | None,
    varied: Mapping[str, tuple[str, ...]],
    settings: Mapping[str, str],
    out: Path | None,
    running: Running,
    console: Console,
) -> int:
    """The exit code of the worst point. Raises QflowError before anything runs."""
    from qflow.sweep.asked import Asked
    from qflow.sweep.choosing import launcher
    from qflow.sweep.leader import resume
    from qflow.sweep.leader import sweep as start
    from qflow.sweep.wanted import Wanted

    if running.workers is not None and "workers" in dict(running.options):
        raise click.UsageError("`workers` is given twice: as an option of the launcher as well")
    wanted = Wanted(
        running.sampler, running.trials, running.seed, running.objective, running.against
    )
    asked = Asked(file, sweep, varied, settings, out, running.threads, wanted=wanted)
    chosen = launcher(running.launcher or DEFAULT, running.all_options)
    keep_crashes_in(asked.base)
    return (resume if running.resume else start)(asked, chosen, console)


def _pairs(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise click.BadParameter(f"`{text}` is not NAME=VALUE", context, parameter)
        if name in found:
            raise click.BadParameter(f"`{name}` is given twice", context, parameter)
        found[name] = value
    return tuple(found.items())


_POSITIVE = click.IntRange(min=1)
_OPTIONS = (
    click.option(
        "--launcher",
        type=click.Choice(registry.names(KIND)),
        help=f"Where the points of a sweep run; `{DEFAULT}` if none is named.",
    ),
    click.option(
        "--workers",
        type=_POSITIVE,
        metavar="N",
        help="Points at once, where the launcher can run several.",
    ),
    click.option(
        "--launcher-option",
        "options",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_pairs,
        help="Another option of the launcher; may be repeated.",
    ),
    click.option(
        "--threads",
        type=_POSITIVE,
        metavar="N",
        help="Of torch in every point: 1 if not given, whatever the launcher.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Go on with a sweep that was broken off, with the plans it had frozen.",
    ),
    click.option(
        "--sampler",
        type=click.Choice(registry.names(SAMPLERS)),
        help="Which points run: all of the `grid`, or those that `optuna` finds most promising.",
    ),
    click.option(
        "--trials", type=_POSITIVE, metavar="N", help="Points that run at most: all if not given."
    ),
    click.option(
        "--seed", type=click.IntRange(min=0), metavar="N", help="Of a search: 0 if not given."
    ),
    click.option(
        "--objective",
        metavar="LANE.METRIC",
        help="What points are compared by, such as `integer.accuracy`.",
    ),
    click.option(
        "--against",
        type=click.Choice(("bit_operations", "weight_bytes")),
        help="The cost it is compared with.",
    ),
)
