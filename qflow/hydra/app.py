"""app: what `python -m qflow.hydra` does with one composed program: show, check, plan or run it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from qflow import atomic, registry
from qflow.cli._report import report
from qflow.diagnostics import EXIT, Diagnostic, QflowError, fail, has_errors
from qflow.hydra.asked import Asked
from qflow.hydra.compose import COMMAND_LINE, Composed
from qflow.lang import yaml
from qflow.lang.format import format_text
from qflow.lang.printer import show

MARK = "# Composed by `python -m qflow.hydra`, which writes this file anew."
Verb = TypeVar("Verb", bound=Callable[..., Any])


def carry_out(composed: Composed, asked: Asked) -> int:
    """The exit code of the verb. Raises QflowError for what ends it."""
    return verb_of(VERBS, asked)(composed, asked)


def verb_of(verbs: Mapping[str, Verb], asked: Asked) -> Verb:
    """Raises QflowError QF110."""
    verb = verbs.get(asked.verb)
    if verb is None:
        near = registry.nearest(asked.verb, tuple(verbs))
        help_ = f"did you mean `{near[0]}`?" if near else f"it is one of {', '.join(verbs)}"
        raise fail(Diagnostic("QF110", f"`job.verb` cannot be `{asked.verb}`", help=help_))
    return verb


def _show(composed: Composed, asked: Asked) -> int:
    """Print the program; params given from outside are told as comments, as they are no part."""
    for name, value in sorted(composed.settings.items()):
        click.echo(f"# --set {name}={value}")
    as_yaml = asked.form == "yaml"
    click.echo(yaml.show(composed.program) if as_yaml else text_of(composed), nl=False)
    return EXIT.yes


def _check(composed: Composed, asked: Asked) -> int:
    from qflow.lint.findings import judged

    found = judged(composed.front(), composed.file, composed.settings)
    report(found.diagnostics, {**composed.texts, **found.sources})
    if not found.diagnostics:
        click.echo("nothing to say")
    return EXIT.no if has_errors(found.diagnostics) else EXIT.yes


def _plan(composed: Composed, asked: Asked) -> int:
    from qflow.compile.front import unplanned
    from qflow.plan.text import render

    found = composed.front()
    if found.plan is None:
        raise unplanned(found)
    report(found.diagnostics, found.sources, err=True)
    click.echo(render(found.plan), nl=False)
    return EXIT.yes


def _run(composed: Composed, asked: Asked) -> int:
    """All errors first, each at its place in the groups; then `qflow run` of the composed file."""
    from rich.console import Console as Screen

    found = composed.front()
    if has_errors(found.diagnostics):
        raise QflowError(found.diagnostics, sources=dict(found.sources))
    path = write(composed)

    from qflow.engine.console import Console
    from qflow.engine.run import run

    out = asked.out or Path("runs") / composed.file.stem
    console = Console(Screen(), lambda said: report(said, err=True))
    return run(path, composed.settings, out, None, console)


VERBS: dict[str, Callable[[Composed, Asked], int]] = {
    "show": _show,
    "check": _check,
    "plan": _plan,
    "run": _run,
}


def text_of(composed: Composed) -> str:
    """The program as canonical .qf text. Raises QflowError with all that is wrong with it."""
    composed.program  # noqa: B018 (raises what is wrong, with the texts of the groups)
    assert composed.parsed.file is not None, "there is a program"
    return format_text(show(composed.parsed.file) + "\n", "composed.qf")


def write(composed: Composed) -> Path:
    """The program as `NAME.composed.qf` beside the file it stands for, where its paths are right.

    Raises QflowError QF316 when a file of that name is there that was not written so.
    """
    path = composed.file.with_name(f"{composed.file.stem}.composed.qf")
    files = "".join(f"#   {name}\n" for name in sorted({*composed.texts} - {COMMAND_LINE}))
    text = f"{MARK}\n# Of:\n{files}{text_of(composed)}"
    try:
        there = path.read_text(encoding="utf-8") if path.exists() else MARK
        if there == text:
            return path
        if not there.startswith(MARK):
            message = f"`{path.as_posix()}` was not written by qflow, and stays as it is"
            raise fail(Diagnostic("QF316", message, help="move it away, or change `job.file`"))
        atomic.write(path, text)
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot write `{path.as_posix()}`: {error}"
        raise fail(Diagnostic("QF316", message)) from error
    return path
