"""Printing diagnostics: what every verb and `main` share."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError, sort
from qflow.diagnostics.causes import once
from qflow.diagnostics.renderers import Renderer

_BESIDE = ("text", "github")
"""Formats of lines, which may stand between other lines."""


@dataclass
class Session:
    """What one call of the program was asked for; the shared options fill it in."""

    output_format: str = "text"
    color: str = "auto"
    crash_folder: Path | None = None
    """Where a traceback of ours is kept; a verb with a run folder sets it."""


def session() -> Session:
    """The session of the verb that is running."""
    context = click.get_current_context(silent=True)
    return context.ensure_object(Session) if context else Session()


def keep_crashes_in(folder: Path) -> None:
    """From here on the traceback of a mistake of ours goes to `crash.txt` in this folder."""
    session().crash_folder = folder


def wants_color(color: str, stream: IO[str]) -> bool:
    """`auto` is a terminal without NO_COLOR."""
    if color == "auto":
        return stream.isatty() and not os.environ.get("NO_COLOR")
    return color == "always"


def report(
    diagnostics: Iterable[Diagnostic],
    sources: Mapping[str, str] | None = None,
    *,
    err: bool = False,
) -> None:
    """Print diagnostics, sorted, in the format asked for.

    `sources` is text by path for the excerpts; files that are not in it are read from disk.
    What a comment of a file allows is marked so. `err` sends what stands beside other output to
    standard error; whole documents such as json always go to standard output.
    """
    _print(tuple(diagnostics), sources or {}, session(), err)


def print_error(error: QflowError, asked: Session) -> None:
    """What `main` prints for an error that ended a verb."""
    _print(error.diagnostics, error.sources, asked, err=True)


def _print(
    diagnostics: tuple[Diagnostic, ...], sources: Mapping[str, str], asked: Session, err: bool
) -> None:
    from qflow.lint.allowing import marked

    renderer: Renderer = registry.load("diagnostics.renderers", asked.output_format)()
    stream = sys.stderr if err and asked.output_format in _BESIDE else sys.stdout
    texts = _with_files(diagnostics, sources)
    own = next((path for path in sources if path.endswith((".qf", ".yaml"))), "")
    text = renderer.render(
        sort(once(marked(diagnostics, texts, own))),
        texts,
        color=wants_color(asked.color, stream),
    )
    click.echo(text, file=stream, nl=False, color=True)


def _with_files(
    diagnostics: tuple[Diagnostic, ...], sources: Mapping[str, str]
) -> Mapping[str, str]:
    """`sources` and the text of every other file a diagnostic points into, where it can be read."""
    from qflow.lang.source import read_text

    complete = dict(sources)
    for diagnostic in diagnostics:
        for span in (diagnostic.at, *(label.span for label in diagnostic.also)):
            if span is None or span.path in complete:
                continue
            try:
                complete[span.path] = read_text(Path(span.path))
            except QflowError:
                # the finding itself matters more than its excerpt
                complete[span.path] = ""
    return complete
