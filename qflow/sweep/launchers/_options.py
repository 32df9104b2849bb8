"""What several launchers ask of their options and packages."""

import os
from collections.abc import Iterator
from importlib.util import find_spec

from qflow.diagnostics import Diagnostic, QflowError, fail


def missing(package: str) -> Iterator[Diagnostic]:
    """QF405 where a package is not installed; the extra of that name brings it."""
    if find_spec(package) is None:
        yield Diagnostic(
            "QF405",
            f"the launcher `{package}` needs the package of that name, which is not installed",
            help=f"pip install 'qflow[{package}]'",
        )


def at_least(name: str, value: int, least: int) -> Iterator[Diagnostic]:
    """QF111 for an option that is too small."""
    if value < least:
        yield Diagnostic("QF111", f"`{name}` of a launcher is {least} or more, not {value}")


def processes(workers: int, threads: int) -> int:
    """How many points at once: as asked for, or as many as the cores are enough for."""
    return workers or max(1, _cores() // max(1, threads))


def _cores() -> int:
    """That this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cannot_start(launcher: str, error: Exception, help_: str) -> QflowError:
    """QF327 for what a launcher's own package says when nothing could be started."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    return fail(
        Diagnostic(
            "QF327",
            f"`{launcher}` could not start anything: {type(error).__name__}",
            notes=tuple(said[:3]),
            help=help_,
        )
    )
