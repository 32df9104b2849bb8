"""running: the points of a multirun, composed and compiled, go to whoever runs those of a file."""

import re
from collections.abc import Sequence

from qflow.compile.front import Front
from qflow.compile.many import unplanned_points
from qflow.diagnostics import Diagnostic, fail
from qflow.hydra.asked import Asked
from qflow.hydra.multirun import ComposedPoint
from qflow.sweep.asked import Asked as AskedSweep
from qflow.sweep.wanted import Wanted

_STRANGE = re.compile(r"[^A-Za-z0-9._=,+-]")


def run(found: Sequence[ComposedPoint], given: Asked) -> int:
    """The worst exit code of the points.

    Raises QflowError before anything runs: what is wrong at any point, QF151 for points that stand
    for several files, QF280 for a sensitivity table that nobody has measured.
    """
    error = unplanned_points([p.compiled for p in found])
    if error is not None and not all(_from_trace(p.compiled.front) for p in found):
        raise error
    for point in found:
        for d in point.compiled.front.diagnostics:
            if d.code == "QF280":
                raise fail(_unmeasured(d, point))
    sweep = asked_of(found, given)

    from rich.console import Console as Screen

    from qflow.cli._report import keep_crashes_in, report
    from qflow.engine.console import Console
    from qflow.sweep import leader
    from qflow.sweep.choosing import launcher

    keep_crashes_in(sweep.base)
    chosen = launcher(given.launcher, {name: _text(value) for name, value in given.options})
    texts = {path: text for p in found for path, text in p.compiled.front.sources.items()}
    console = Console(Screen(), lambda said: report(said, texts, err=True))
    if given.resume:
        return leader.resume(sweep, chosen, console)
    return leader.sweep(sweep, chosen, console, tuple(p.compiled for p in found))


def asked_of(found: Sequence[ComposedPoint], given: Asked) -> AskedSweep:
    """What is swept, as it is called and recorded. Raises QflowError QF151."""
    files = list(dict.fromkeys(p.composed.file for p in found))
    if len(files) > 1:
        message = f"the points of one sweep stand for {len(files)} files: `job.file` differs"
        help_ = "start the sweep once for each"
        raise fail(Diagnostic("QF151", message, help=help_))
    values: dict[str, dict[str, None]] = {}
    for point in found:
        for name, value in point.compiled.values:
            values.setdefault(_STRANGE.sub("_", name), {})[value] = None
    wanted = Wanted(**dict(given.search))  # type: ignore[arg-type]
    varied = {name: tuple(of) for name, of in values.items()} or {"point": ()}
    return AskedSweep(
        files[0], None, varied, {}, given.out, given.threads, composed=True, wanted=wanted
    )


def _from_trace(front: Front) -> bool:
    """Whether nothing but a lock is missing: then the plan is that of the trace."""
    program = front.program
    return front.lock is None and program is not None and not program.only_names


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unmeasured(found: Diagnostic, point: ComposedPoint) -> Diagnostic:
    return Diagnostic(
        "QF280",
        found.message,
        at=found.at,
        notes=("a run measures it, and the points of a sweep are frozen before one runs",),
        help=f"run the point `{point.compiled.point.name}` alone first, without `-m`",
    )
