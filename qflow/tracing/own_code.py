"""own_code: the line of the model's own code that an error comes from."""

from __future__ import annotations

import linecache
import traceback
from dataclasses import dataclass
from pathlib import Path

import torch

import qflow
from qflow.diagnostics import Span

_NOT_THE_MODEL = (str(Path(torch.__file__).parent), str(Path(qflow.__file__).parent))


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
    if not own:
        return None
    line, text = own[-1].lineno or 1, own[-1].line or ""
    whole = linecache.getline(own[-1].filename, line)
    start = len(whole) - len(whole.lstrip()) + 1
    span = Span(_shown(own[-1].filename), line, start, line, start + len(text))
    return Place(span, own[-1].name, text)


def _shown(filename: str) -> str:
    """A file as a person would name it: from the current folder where it lies below."""
    path = Path(filename)
    inside = path.is_relative_to(Path.cwd())
    return (path.relative_to(Path.cwd()) if inside else path).as_posix()
