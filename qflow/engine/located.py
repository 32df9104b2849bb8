"""located: a diagnostic without a place gets the place of what was being done."""

from dataclasses import replace
from types import TracebackType

from qflow.diagnostics import EXIT, QflowError, Span


class Located:
    """A block whose QflowErrors without a place are about `at`."""

    def __init__(self, at: Span | None, exit_code: int | None = None) -> None:
        """`exit_code` takes the place of "cannot": inside a stage, what cannot go on has failed."""
        self.at, self.exit_code = at, exit_code

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, QflowError):
            return
        error.diagnostics = tuple(
            d if d.at is not None else replace(d, at=self.at) for d in error.diagnostics
        )
        if self.exit_code is not None and error.exit_code == EXIT.cannot:
            error.exit_code = self.exit_code
