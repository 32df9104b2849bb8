"""saying: notes and warnings of the Python API, told through logging; nothing is printed."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from qflow.diagnostics import Diagnostic

LOGGER = logging.getLogger("qflow")
_LEVELS = {"error": logging.ERROR, "warning": logging.WARNING, "note": logging.INFO}


def say(diagnostics: Iterable[Diagnostic]) -> None:
    """One line each: `QF502 warning: ...`, warnings at level WARNING, notes at INFO."""
    for found in diagnostics:
        LOGGER.log(_LEVELS[found.severity], "%s %s: %s", found.code, found.severity, found.message)
