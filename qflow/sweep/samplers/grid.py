"""grid: every point of the sweep, in its order."""

from qflow.diagnostics import Diagnostic
from qflow.sweep.outcome import Outcome
from qflow.sweep.sampling import Search


class Grid:
    """All at once, or with `--trials` the first so many: nothing depends on what others gave."""

    def __init__(self, search: Search) -> None:
        self._left = [name for name, _ in search.points][: search.most]

    @staticmethod
    def check() -> tuple[Diagnostic, ...]:
        return ()

    def ask(self, count: int) -> list[str]:
        """Every point that is left, however many were wanted."""
        asked, self._left = self._left, []
        return asked

    def tell(self, outcome: Outcome) -> None:
        return None
