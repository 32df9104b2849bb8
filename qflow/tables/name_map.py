"""name_map: which name of a table is meant by an address: from a file, from patterns, by place."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from qflow.diagnostics import Diagnostic, QflowError, Span, fail
from qflow.records import dataclass
from qflow.tables.entry import Malformed
from qflow.tables.formats._numbers import Twice, document, items, sequence
from qflow.tables.globs import GlobPair

MOST_PAIRS = 200_000


@dataclass(frozen=True)
class NameMap:
    """Pairs in order; the last one that is about an address decides."""

    pairs: tuple[GlobPair, ...] = ()
    by_position: bool = False
    """The table has its tensors in the order in which the model computes them."""
    source: str = ""
    """The file it came from; empty: the pairs stand in the program."""

    def names_of(self, address: str) -> tuple[str, ...]:
        """Names that are meant by an address, the likeliest first; none where it says nothing."""
        if address in self._plain:
            return self._plain[address]
        for pair in reversed(self._globs):
            if (name := pair.name_of(address)) is not None:
                return (name,)
        return ()

    @cached_property
    def _plain(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for pair in self.pairs:
            if "*" not in pair.address:
                found[pair.address] = (*found.get(pair.address, ()), pair.name)
        return found

    @cached_property
    def _globs(self) -> tuple[GlobPair, ...]:
        return tuple(p for p in self.pairs if "*" in p.address)


def parse(text: str, shown: str) -> NameMap:
    """A map from a text: JSON, or two columns: an address and the rest of the line.

    JSON is `{"stem.conv": "conv1"}`, or the name map that an export of ours writes. Raises
    QflowError QF333.
    """
    try:
        pairs = tuple(_of_json(text) if text.lstrip().startswith("{") else _of_columns(text))
    except Malformed as error:
        raise unusable(shown, str(error), error.line) from error
    return NameMap(pairs, source=shown)


def checked(pair: GlobPair) -> GlobPair:
    """The pair. Raises Malformed where its patterns do not go together."""
    if pair.problem:
        raise Malformed(pair.problem)
    return pair


def unusable(shown: str, why: str, line: int = 0, at: Span | None = None) -> QflowError:
    """QF333 for a map that is none."""
    place = at or (Span(shown, line, 1, line, 1) if line else None)
    return fail(
        Diagnostic(
            "QF333",
            f"`{shown}` is no name map: {why}",
            at=place,
            help='write `stem.conv conv1_Conv` per line, or JSON: {"stem.conv": "conv1_Conv"}',
        )
    )


def _of_columns(text: str) -> Iterator[GlobPair]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = line.split(maxsplit=1)
        if len(words) != 2:
            raise Malformed(f"line {number} has no second column", number)
        pair = GlobPair(words[0], words[1].strip())
        if pair.problem:
            raise Malformed(pair.problem, number)
        if number > MOST_PAIRS:
            raise Malformed(f"it has more than {MOST_PAIRS:,} lines")
        yield pair


def _of_json(text: str) -> Iterator[GlobPair]:
    found = document(text)
    own = isinstance(found.get("tensors"), Twice)
    pairs = items(found["tensors"] if own else found, "the map")
    if len(pairs) > MOST_PAIRS:
        raise Malformed(f"it has more than {MOST_PAIRS:,} names")
    for address, value in pairs:
        for name in _names(value, address, own):
            yield checked(GlobPair(address, name))


def _names(value: Any, address: str, own: bool) -> list[str]:
    """What a JSON value says of an address: a name, several, or a tensor of an export."""
    if own:
        record = Twice(items(value, f"`{address}`"))
        return [str(record[k]) for k in ("row", "tensor") if isinstance(record.get(k), str)]
    if isinstance(value, str):
        return [value]
    given = sequence(value, f"the name of `{address}`")
    if not all(isinstance(n, str) for n in given):
        raise Malformed(f"the name of `{address}` is no text")
    return list(given)
