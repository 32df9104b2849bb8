"""tensorrt_cache: an INT8 calibration cache of TensorRT: `name: 3c008912` per line."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from qflow.tables.entry import MOST_ENTRIES, Entry, Malformed, Table, positive

_HEADER = re.compile(r"TRT-\d+-\w+")
_DIGITS = re.compile(r"[0-9a-fA-F]{1,8}")
_BITS = 8


class TensorrtCache:
    """The digits are a float32, big end first: the real value of one step of int8."""

    def knows(self, text: str) -> bool:
        """Whether it begins as a cache does."""
        return _HEADER.match(text) is not None

    def read(self, text: str, shown: str) -> Table:
        """Raises Malformed for a line that is no tensor."""
        header, *lines = text.split("\n")
        if not _HEADER.fullmatch(header.strip()):
            raise Malformed("its first line is not `TRT-8601-EntropyCalibration2` or alike", 1)
        return Table(shown, "tensorrt_cache", tuple(_entries(lines)))


def _entries(lines: list[str]) -> Iterator[Entry]:
    for number, line in enumerate(lines, 2):
        if number > MOST_ENTRIES:
            raise Malformed(f"it has more than {MOST_ENTRIES:,} lines")
        if not line.strip():
            continue
        # names may hold colons and spaces
        name, _, digits = (part.strip() for part in line.rpartition(":"))
        if not name or not _DIGITS.fullmatch(digits):
            raise Malformed(f"line {number} is not `name: 3c008912`", number)
        (scale,) = struct.unpack(">f", bytes.fromhex(digits.zfill(8)))
        yield Entry(name, number, scale=scale, bits=_BITS, unusable=positive(scale))
