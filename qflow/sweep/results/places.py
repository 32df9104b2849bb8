"""places: where the labels of points go, so that none covers another, a point, or the border."""

from collections.abc import Iterator, Sequence
from itertools import chain

from qflow.records import dataclass

_RINGS = (0, 12, 26, 44, 66, 92)
"""How far from beside its point a label may move, nearest first."""
_WAYS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
"""Right and left first: a label beside its point is read with it."""


@dataclass(frozen=True)
class Box:
    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def wider(self, by: float) -> "Box":
        return Box(self.left - by, self.bottom - by, self.right + by, self.top + by)

    def holds(self, other: "Box") -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.bottom <= other.bottom
            and other.top <= self.top
        )


@dataclass(frozen=True)
class Wanted:
    """A label that asks for a place."""

    x: float
    y: float
    """Its point."""
    width: float
    height: float


@dataclass(frozen=True)
class Placed:
    box: Box
    near: bool
    """Beside its point; otherwise a line leads to it."""


def place(
    wanted: Sequence[Wanted], taken: Sequence[Box], inside: Box, gap: float
) -> tuple[Placed | None, ...]:
    """A place for each label in turn, `gap` from its point; None where there is no free one.

    All in one unit, such as pixels. `taken` are boxes no label may cover.
    """
    used = list(taken)
    found: list[Placed | None] = []
    for label in wanted:
        reach = _box(label, (0, 0), 0).wider(2 * (gap + _RINGS[-1]) + label.width + label.height)
        near = [box for box in used if box.meets(reach)]
        free = (p for p in _tried(label, gap) if _is_free(p.box, near, inside))
        placed = next(free, None)
        found.append(placed)
        if placed is not None:
            used.append(placed.box)
    return tuple(found)


def _is_free(box: Box, used: Sequence[Box], inside: Box) -> bool:
    return inside.holds(box) and not any(box.meets(other) for other in used)


def _tried(label: Wanted, gap: float) -> Iterator[Placed]:
    return chain.from_iterable(
        (Placed(_box(label, way, gap + ring), near=not ring) for way in _WAYS) for ring in _RINGS
    )


def _box(label: Wanted, way: tuple[int, int], distance: float) -> Box:
    """The label with its nearest edge `distance` away, centred on the point in the other axis."""
    x = label.x + way[0] * (distance + label.width / 2)
    y = label.y + way[1] * (distance + label.height / 2)
    across, up = label.width / 2, label.height / 2
    return Box(x - across, y - up, x + across, y + up)
