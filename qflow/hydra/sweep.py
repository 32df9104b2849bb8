"""sweep: what `python -m qflow.hydra -m ...` does with the points of a multirun."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar

import click
from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig

from qflow.cli._report import Session, print_error, report
from qflow.compile.many import collected
from qflow.diagnostics import EXIT, QflowError, has_errors
from qflow.hydra import app, asked, foreign
from qflow.hydra.asked import Asked
from qflow.hydra.multirun import ComposedPoint, chosen, points

CODES: ContextVar[list[int]] = ContextVar("CODES")
"""Exit codes of what Hydra has started, for `main`: Hydra itself hands none on."""


def sweep(loader: ConfigLoader, master: DictConfig, lines: Sequence[str]) -> int:
    """Called by the sweeper; prints what is wrong, and answers with an exit code."""
    try:
        foreign.refuse_launcher(master)
        found = points(chosen(lines, loader), lines, loader, master)
        given = asked.agreed(p.asked for p in found)
        code = app.verb_of(VERBS, given)(found, given)
    except QflowError as error:
        print_error(error, Session())
        code = error.exit_code
    CODES.get([]).append(code)
    return code


def _show(found: Sequence[ComposedPoint], given: Asked) -> int:
    for number, point in enumerate(found):
        if number:
            click.echo("---" if given.form == "yaml" else "")
        click.echo(f"# {point.compiled.point.name}")
        app.carry_out(point.composed, given)
    return EXIT.yes


def _check(found: Sequence[ComposedPoint], given: Asked) -> int:
    from qflow.lint.findings import judged

    about = {
        p.compiled.point.name: judged(p.compiled.front, p.composed.file, p.composed.settings)
        for p in found
    }
    said = collected({name: judgement.diagnostics for name, judgement in about.items()})
    report(said, {path: text for f in about.values() for path, text in f.sources.items()})
    if not said:
        click.echo(f"{len(found)} point{'' if len(found) == 1 else 's'}, nothing to say")
    return EXIT.no if has_errors(said) else EXIT.yes


def _plan(found: Sequence[ComposedPoint], given: Asked) -> int:
    from qflow.cli._points import show

    return show([p.compiled for p in found], "text")


def _run(found: Sequence[ComposedPoint], given: Asked) -> int:
    from qflow.hydra.running import run

    return run(found, given)


VERBS: dict[str, Callable[[Sequence[ComposedPoint], Asked], int]] = {
    "show": _show,
    "check": _check,
    "plan": _plan,
    "run": _run,
}
