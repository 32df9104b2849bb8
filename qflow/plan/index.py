"""index: the addresses of a model, arranged so that a glob finds what it covers, asking few."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from qflow.plan.address import covering, matches

T = TypeVar("T")
MANY = "**"


class Index:
    """Addresses by segment. A position is a place in the sequence it was made from."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self.addresses = tuple(addresses)
        self._root = _Node()
        self._found: dict[str, Sequence[int]] = {}
        having: dict[str, list[int]] = {}
        for position, address in enumerate(self.addresses):
            segments = address.split(".")
            self._root.add(position, segments)
            for segment in dict.fromkeys(segments):
                having.setdefault(segment, []).append(position)
        self._having = _Words(having)
        # globs never stand for an empty segment: where there is one, every address is asked
        self._plain = "" not in having

    def covered(self, pattern: str) -> Sequence[int]:
        """Positions of all that a glob covers, ascending: what `matches` says, one by one."""
        found = self._found.get(pattern)
        if found is None:
            found = self._found[pattern] = self._search(pattern)
        return found

    def _search(self, pattern: str) -> Sequence[int]:
        if not self._plain:
            return [p for p, a in enumerate(self.addresses) if matches(pattern, a)]
        segments = pattern.split(".")
        if MANY not in segments:
            return _merged([n.here for n in self._reached(segments)])
        first = segments.index(MANY)
        reached = [n.below for n in self._reached(segments[:first])]
        rest = [s for s in segments[first:] if s != MANY]
        if not rest:
            return _merged(reached)
        covers = covering(pattern)
        return [p for p in self._fewest(reached, rest) if covers(self.addresses[p])]

    def _reached(self, segments: Sequence[str]) -> list[_Node]:
        """Nodes at the end of the ways these segments cover."""
        nodes = [self._root]
        for segment in segments:
            nodes = [child for node in nodes for child in node.under.covered(segment)]
        return nodes

    def _fewest(self, reached: list[list[int]], rest: Iterable[str]) -> Sequence[int]:
        """The smallest set of positions that holds all which have each of these segments."""
        ways = [reached, *(self._having.covered(s) for s in rest if s != "*")]
        return _merged(min(ways, key=lambda lists: sum(map(len, lists))))


class _Words(Generic[T]):
    """What belongs to each of many segments, found by a glob of one segment."""

    __slots__ = ("_sorted", "by_word")

    def __init__(self, by_word: dict[str, T]) -> None:
        self.by_word = by_word
        self._sorted: list[str] = []

    def covered(self, segment: str) -> list[T]:
        """Of every word that a segment of a glob covers. No word is empty."""
        if segment == "*":
            return list(self.by_word.values())
        if "*" not in segment:
            return [self.by_word[segment]] if segment in self.by_word else []
        beginning = segment[: segment.index("*")]
        covers = covering(segment)
        return [self.by_word[w] for w in self._beginning(beginning) if covers(w)]

    def _beginning(self, text: str) -> list[str]:
        """Words that begin so; they lie side by side when all are sorted."""
        if len(self._sorted) != len(self.by_word):
            self._sorted = sorted(self.by_word)
        first = bisect_left(self._sorted, text)
        last = bisect_right(self._sorted, text, first, key=lambda w: w[: len(text)])
        return self._sorted[first:last]


class _Node:
    """A beginning of addresses."""

    __slots__ = ("below", "here", "under")

    def __init__(self) -> None:
        self.under: _Words[_Node] = _Words({})
        self.here: list[int] = []
        """Positions of the address that ends here."""
        self.below: list[int] = []
        """Positions of all that begin so, this one too."""

    def add(self, position: int, segments: Iterable[str]) -> None:
        node = self
        node.below.append(position)
        for segment in segments:
            following = node.under.by_word
            if segment not in following:
                following[segment] = _Node()
            node = following[segment]
            node.below.append(position)
        node.here.append(position)


def _merged(lists: Sequence[Sequence[int]]) -> Sequence[int]:
    """One ascending list without repeats."""
    return lists[0] if len(lists) == 1 else sorted(set().union(*lists))
