"""units: numbers of a sweep as people read them: one unit for all values of a column or an axis."""

from collections.abc import Iterable
from math import isfinite

from qflow.records import dataclass


@dataclass(frozen=True)
class Unit:
    name: str
    """As it stands in a heading."""
    size: float
    """How many of what was counted make one."""
    decimals: int

    def show(self, value: float | None) -> str:
        """Without the unit's name; empty for what is not known."""
        return "" if value is None else f"{value / self.size:.{self.decimals}f}"


_BYTES = (("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30))
_OPERATIONS = (
    ("bit-ops", 1),
    ("kbit-ops", 10**3),
    ("Mbit-ops", 10**6),
    ("Gbit-ops", 10**9),
    ("Tbit-ops", 10**12),
)
COSTS = {
    "bit_operations": ("bit operations of one sample", _OPERATIONS),
    "weight_bytes": ("weights", _BYTES),
}
"""Field of an outcome to what it is called, and the units it is told in."""


def of_cost(name: str, values: Iterable[int]) -> Unit:
    """The unit of a cost. Raises KeyError for a name that is not in `COSTS`."""
    largest = max(values, default=0)
    ladder = COSTS[name][1]
    word, size = next((u for u in reversed(ladder) if largest >= u[1]), ladder[0])
    whole = size == 1 or largest / size >= 1000
    return Unit(word, size, 0 if whole else 1 if largest / size >= 100 else 2)


def of_metric(values: Iterable[float], higher: bool) -> Unit:
    """Percent for a share: what is better when it is higher, and lies between 0 and 1."""
    found = [v for v in values if isfinite(v)]
    if higher and all(0 <= v <= 1 for v in found):
        return Unit("%", 0.01, 2)
    return Unit("", 1, 4)
