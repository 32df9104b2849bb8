"""refusing: what is said of a data source that cannot be used; every message names the file."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError, Span, fail


def damaged(shown: str, reason: str, at: Span | None, sample: int | None = None) -> QflowError:
    """QF372 for a file that is not what its name says."""
    which = "" if sample is None else f", sample {sample},"
    return fail(
        Diagnostic(
            "QF372",
            f"`{shown}`{which} cannot be read: {one_line(reason)}",
            at=at,
            help="write the file again, or take it out of the source",
        )
    )


def without(
    shown: str, what: str, at: Span | None, wanted: str, there: Iterable[str]
) -> QflowError:
    """QF373 for an array that is not there."""
    names = tuple(sorted(there))
    near = registry.nearest(wanted, names) or names[:8]
    return fail(
        Diagnostic(
            "QF373",
            f"`{shown}` {what}",
            at=at,
            notes=(f"it has {', '.join(f'`{one_line(n)}`' for n in near)}",) if near else (),
            help=f'say what it is called there: `keys = {{{wanted}: "name"}}`',
        )
    )


def unfit(shown: str, reason: str, at: Span | None, help_: str) -> QflowError:
    """QF374 for an image that cannot become the input."""
    return fail(Diagnostic("QF374", f"the image `{shown}` {reason}", at=at, help=help_))


def one_line(text: str) -> str:
    """Words of a file in a message."""
    line = " ".join(str(text).split())
    return "".join(c if c.isprintable() else "?" for c in line)[:200]


def package(name: str, extra: str, what: str) -> Any:
    """An optional package. Raises QflowError QF405 where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise fail(
            Diagnostic(
                "QF405",
                f"{what} needs the package {name.partition('.')[0]}",
                help=f"pip install 'qflow[{extra}]'",
            )
        ) from error
