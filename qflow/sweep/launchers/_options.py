"""What several launchers ask of their options and packages."""

import os
from collections.abc import Iterator
from importlib.util import find_spec

from qflow.diagnostics import Diagnostic


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
    return workers or max(1, len(os.sched_getaffinity(0)) // max(1, threads))
