"""current: the march that `prepare`, checks and export take where none is named."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from qflow.diagnostics import Diagnostic, fail
from qflow.march import March, load, names
from qflow.registry import nearest

P = ParamSpec("P")
R = TypeVar("R")

_set: str | None = None
"""What `set_march` said, for every thread of the process: data loaders and trainers share it."""
_within: ContextVar[str | None] = ContextVar("march", default=None)
"""What `with_march` says for the time of a call, in this thread and task only."""


def set_march(march: str | March) -> None:
    """Name the march once, before a model is built, prepared or exported: `March.NASH_M`.

    Raises QflowError: QF110 for a march qflow has no file of.
    """
    global _set
    _set = known(march)


def get_march() -> str | None:
    """Name of the march that is set; None where `set_march` was not called."""
    return _within.get() or _set


def with_march(march: str | March) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: the function runs under this march, whatever is set outside.

    Raises QflowError: QF110 for a march qflow has no file of.
    """
    name = known(march)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with _under(name):
                return function(*args, **kwargs)

        return run

    return decorate


def required(march: str | March | None = None) -> March:
    """The march named here, else the one that is set. Raises QflowError: QF110, QF251 for none."""
    if isinstance(march, March):
        return march
    name = known(march) if march is not None else get_march()
    if name is None:
        raise fail(
            Diagnostic(
                "QF251",
                "no march is set, so nothing says what the hardware can do",
                notes=(f"qflow has {', '.join(names())}",),
                help='call `qflow.set_march("nash-m")` before the model is built and prepared',
            )
        )
    return load(name)


def known(march: str | March) -> str:
    """The name of a march that has a file. Raises QflowError: QF110."""
    name = march.name if isinstance(march, March) else march
    every = names()
    if name in every:
        return name
    near = nearest(str(name).lower().replace("_", "-"), every) or every
    raise fail(
        Diagnostic(
            "QF110",
            f"there is no march `{name}`",
            notes=(f"the nearest: {', '.join(f'`{n}`' for n in near)}",),
        )
    )


@contextmanager
def _under(name: str) -> Iterator[None]:
    token = _within.set(name)
    try:
        yield
    finally:
        _within.reset(token)
