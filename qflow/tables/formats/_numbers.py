"""Numbers of a table as Python has them, each judged."""

from __future__ import annotations

import json
import math
from typing import Any

from qflow.tables.entry import MOST_ENTRIES, Malformed


def finite(value: object, what: str) -> float:
    """A number of JSON as a float. Raises Malformed."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Malformed(f"{what} is no number")
    try:
        found = float(value)
    except OverflowError as error:
        raise Malformed(f"{what} is too large") from error
    if not math.isfinite(found):
        raise Malformed(f"{what} is not finite")
    return found


def whole(value: object, what: str) -> int:
    """A whole number of JSON. Raises Malformed."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed(f"{what} is no whole number")
    return value


class Twice(dict[str, Any]):
    """A JSON object that knows which keys are in it twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def document(text: str) -> Twice:
    """A JSON object. Raises Malformed."""
    try:
        found = json.loads(text, object_pairs_hook=Twice)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        raise Malformed("it is not JSON", line) from error
    if not isinstance(found, Twice):
        raise Malformed("it is not a JSON object")
    return found


def items(value: object, what: str) -> list[tuple[str, Any]]:
    """The pairs of an object, those with the same key too. Raises Malformed."""
    if not isinstance(value, Twice):
        raise Malformed(f"{what} is not an object")
    if len(value.pairs) > MOST_ENTRIES:
        raise Malformed(f"{what} has more than {MOST_ENTRIES:,} entries")
    return value.pairs


def sequence(value: object, what: str) -> list[Any]:
    """A list. Raises Malformed."""
    if not isinstance(value, list):
        raise Malformed(f"{what} is not a list")
    if len(value) > MOST_ENTRIES:
        raise Malformed(f"{what} has more than {MOST_ENTRIES:,} entries")
    return value


def name(value: object, what: str) -> str:
    """A name that is not empty. Raises Malformed."""
    if not isinstance(value, str) or not value:
        raise Malformed(f"{what} has no name")
    return value
