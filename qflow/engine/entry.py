"""entry: other people's code: finding `package.module:name`, and whose mistake it was."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from qflow.diagnostics import EXIT, Diagnostic, QflowError, Span, fail


class UserCode:
    """A block that runs other people's code: what it raises becomes a diagnostic, exit code 3.

    The traceback stays on the error as its cause, for the log. Ctrl-C and our own errors pass;
    `sys.exit` does not: a run that ends with somebody else's 0 would look like one that went well.
    """

    def __init__(self, what: str, at: Span | None = None, code: str = "QF312") -> None:
        """`what` begins a sentence that ends in "failed": "the loader `digits.data:training`"."""
        self.what, self.at, self.code = what, at, code

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, (Exception, SystemExit)) or isinstance(error, QflowError):
            return
        raise fail(
            Diagnostic(
                self.code,
                f"{self.what} failed with {type(error).__name__}: {first_line(error)}",
                at=self.at,
                notes=(f"raised at {place}",) if (place := _place(error)) else (),
                help="the traceback is in log.txt of the run folder",
            ),
            EXIT.failed,
        ) from error


def first_line(error: BaseException) -> str:
    """The message of an error as one line."""
    return (str(error).strip().splitlines() or ["no message"])[0]


def _place(error: BaseException) -> str:
    """File and line of the innermost frame outside installed packages, as far as there is one."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "site-packages" not in name and "/qflow/" not in name.replace("\\", "/"):
            places.append(f"{Path(name).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-1] if places else ""


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """While the block runs, modules in `folder` can be imported."""
    path = str(folder.resolve())
    sys.path.insert(0, path)
    try:
        yield
    finally:
        sys.path.remove(path)


def find(entry: str, folder: Path, at: Span | None = None) -> Any:
    """What `package.module:name` names; the module may lie in `folder`.

    Raises QflowError QF312: exit code 2 when it does not exist, 3 when importing it failed.
    """
    name, _, attribute = entry.partition(":")
    with importable(folder):
        found = _module(name, folder, entry, at)
        for part in attribute.split("."):
            if not hasattr(found, part):
                raise fail(_no_attribute(entry, name, attribute, found, at))
            found = getattr(found, part)
    return found


def _module(name: str, folder: Path, entry: str, at: Span | None) -> Any:
    with UserCode(f"importing `{name}`", at):
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            # a module that the user's module itself imports is their error, with their traceback
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            raise fail(
                Diagnostic(
                    "QF312",
                    f"there is no module `{error.name}` for `{entry}`",
                    at=at,
                    help=f"it must be installed, or lie in `{folder.as_posix()}`",
                )
            ) from error


def _no_attribute(entry: str, name: str, attribute: str, found: Any, at: Span | None) -> Diagnostic:
    from qflow import registry

    public = tuple(n for n in dir(found) if not n.startswith("_"))
    near = registry.nearest(attribute, public)
    return Diagnostic(
        "QF312",
        f"`{name}` has no `{attribute}`",
        at=at,
        notes=(f"the nearest are {', '.join(f'`{n}`' for n in near)}",) if near else (),
        help=f"define it, or correct the entry point `{entry}`",
    )


def span_of(fields: tuple[tuple[str, Span], ...], name: str, default: Span | None) -> Span | None:
    """Where a field was written, or the block when it was not."""
    return dict(fields).get(name, default)
