"""Record: a JSON object read with its types checked, so that a damaged file is named as such."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np


class Damaged(Exception):
    """A file does not hold what it should; the text says where."""


@dataclass(frozen=True)
class Record:
    """Fields of one object. Every reader raises Damaged when the field is not of its type."""

    data: dict[str, Any]
    where: str

    @staticmethod
    def parse(text: str | bytes, where: str) -> Record:
        try:
            found = json.loads(text, parse_constant=_not_a_number)
        except (ValueError, RecursionError):
            raise Damaged(f"{where} is no JSON") from None
        if not isinstance(found, dict):
            raise Damaged(f"{where} is no object")
        return Record(found, where)

    def __contains__(self, name: str) -> bool:
        return name in self.data

    def exactly(self, *names: str) -> None:
        if set(self.data) != set(names):
            odd = sorted(set(self.data) ^ set(names))
            raise Damaged(f"{self.where} has other fields than it should: {', '.join(odd)}")

    def text(self, name: str) -> str:
        return self._of(name, str)  # type: ignore[no-any-return]

    def integer(self, name: str) -> int:
        value = self._of(name, int)
        if isinstance(value, bool):
            raise self._wrong(name)
        return value  # type: ignore[no-any-return]

    def record(self, name: str) -> Record:
        return Record(self._of(name, dict), f"{self.where}, {name}")

    def records(self, name: str) -> list[Record]:
        found = self._of(name, list)
        if not all(isinstance(v, dict) for v in found):
            raise self._wrong(name)
        return [Record(v, f"{name} {i}") for i, v in enumerate(found)]

    def texts(self, name: str) -> tuple[str, ...]:
        found = self._of(name, list)
        if not all(isinstance(v, str) for v in found):
            raise self._wrong(name)
        return tuple(found)

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        found = self._of(name, list)
        for pair in found:
            if not isinstance(pair, list) or [type(v) for v in pair] != [str, str]:
                raise self._wrong(name)
        return tuple((a, b) for a, b in found)

    def integers(self, name: str) -> tuple[int, ...]:
        found = self._of(name, list)
        if not all(type(v) is int for v in found):
            raise self._wrong(name)
        return tuple(found)

    def numbers(self, name: str) -> tuple[int | float, ...]:
        """Whole numbers, and finite floats as an island may have them."""
        found = self._of(name, list)
        if not all(type(v) is int or (type(v) is float and isfinite(v)) for v in found):
            raise self._wrong(name)
        return tuple(found)

    def floats(self, name: str) -> np.ndarray | None:
        """float32, or None for null."""
        if self.data.get(name, 0) is None:
            return None
        found = self._of(name, list)
        if not all(type(v) is float and abs(v) <= np.finfo(np.float32).max for v in found):
            raise self._wrong(name)
        return np.array(found, np.float32)

    def words(self) -> dict[str, str]:
        if not all(isinstance(v, str) for v in self.data.values()):
            raise Damaged(f"{self.where} is no mapping of names")
        return dict(self.data)

    def plain(self) -> dict[str, Any]:
        """Numbers, flags, words, and tuples of numbers."""
        found = {}
        for name, value in self.data.items():
            if isinstance(value, list):
                found[name] = self.numbers(name)
            elif isinstance(value, (str, int)) or (isinstance(value, float) and isfinite(value)):
                found[name] = value
            else:
                raise self._wrong(name)
        return found

    def _of(self, name: str, kind: type) -> Any:
        if not isinstance(self.data.get(name), kind):
            raise self._wrong(name)
        return self.data[name]

    def _wrong(self, name: str) -> Damaged:
        return Damaged(f"{self.where}: `{name}` is missing or of another type")


def _not_a_number(word: str) -> float:
    raise ValueError(word)
