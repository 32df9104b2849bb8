"""saying: what the Python API tells its caller: through logging, and of a model that is none."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from torch import nn

from qflow.diagnostics import Diagnostic, fail

LOGGER = logging.getLogger("qflow")
_LEVELS = {"error": logging.ERROR, "warning": logging.WARNING, "note": logging.INFO}


def say(diagnostics: Iterable[Diagnostic]) -> None:
    """One line each: `QF502 warning: ...`, warnings at level WARNING, notes at INFO."""
    for found in diagnostics:
        LOGGER.log(_LEVELS[found.severity], "%s %s: %s", found.code, found.severity, found.message)


def require_module(model: Any, function: str) -> None:
    """Raises QflowError QF113 for what is no module of torch, such as a class or a function."""
    if isinstance(model, nn.Module):
        return
    what = f"the class {model.__name__}" if isinstance(model, type) else f"a {type(model).__name__}"
    help = "make an instance of it" if isinstance(model, type) else "pass the model itself"
    raise fail(Diagnostic("QF113", f"`{function}` takes a model, not {what}", help=help))
