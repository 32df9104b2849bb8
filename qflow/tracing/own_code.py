"""own_code: the line of the model's own code that an error, or a call that runs, comes from."""

from __future__ import annotations

import contextlib
import linecache
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch

import qflow
from qflow.diagnostics import Span

_NOT_THE_MODEL = (
    str(Path(torch.__file__).parent),
    str(Path(qflow.__file__).parent),
    # it stands between a `with` line and what runs there
    contextlib.__file__,
)


@dataclass(frozen=True)
class Place:
    span: Span
    function: str
    line: str
    """The text there, without its indent."""


def raised_at(error: BaseException) -> Place | None:
    """The innermost frame outside torch and qflow; None when there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith(_NOT_THE_MODEL)]
    return _place(own[-1].filename, own[-1].lineno or 1, own[-1].name) if own else None


def running_at() -> Place | None:
    """The line of the model that runs just now; None when no frame is the model's."""
    frame = next(own_frames(), None)
    if frame is None:
        return None
    return _place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def own_frames() -> Iterator[FrameType]:
    """Frames outside torch and qflow, innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        # code that was made at run time, such as that of a graph, has no file
        if not name.startswith(_NOT_THE_MODEL) and not name.startswith("<"):
            yield frame
        frame = frame.f_back


def _place(filename: str, line: int, function: str) -> Place:
    whole = linecache.getline(filename, line)
    text = whole.strip()
    start = len(whole) - len(whole.lstrip()) + 1
    return Place(Span(_shown(filename), line, start, line, start + len(text)), function, text)


def _shown(filename: str) -> str:
    """A file as a person would name it: from the current folder where it lies below."""
    path = Path(filename)
    inside = path.is_relative_to(Path.cwd())
    return (path.relative_to(Path.cwd()) if inside else path).as_posix()
