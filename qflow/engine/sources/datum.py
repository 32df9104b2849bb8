"""datum: a record of a database as Caffe writes it: an image and its label, in protobuf."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Datum:
    """Either `data` or `floats` holds the values; `encoded`: `data` is an image file."""

    shape: tuple[int, int, int]
    """Channels, height, width."""
    data: bytes
    floats: np.ndarray
    label: int
    encoded: bool

    def array(self) -> np.ndarray:
        """The values, uint8 or float32. Raises ValueError where they do not fit the shape."""
        values = np.frombuffer(self.data, np.uint8) if self.data else self.floats
        return values.reshape(self.shape)


def parse(raw: bytes) -> Datum:
    """Raises ValueError for bytes that are no such record."""
    numbers = dict.fromkeys((1, 2, 3, 5, 7), 0)
    data, floats = b"", []
    place = 0
    while place < len(raw):
        key, place = _number(raw, place)
        field, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _number(raw, place)
            if field in numbers:
                numbers[field] = value
        elif kind == 2:
            length, place = _number(raw, place)
            part = raw[place : place + length]
            place += length
            if place > len(raw):
                raise ValueError("a record ends before its values do")
            if field == 4:
                data = part
            elif field == 6:
                floats.append(part)
        elif kind == 5 and field == 6:
            floats.append(raw[place : place + 4])
            place += 4
        else:
            raise ValueError("a record holds a field that no image has")
    values = np.frombuffer(b"".join(floats), "<f4")
    shape = (numbers[1], numbers[2], numbers[3])
    label = numbers[5] - (1 << 64) if numbers[5] >= 1 << 63 else numbers[5]
    if not data and not len(values):
        raise ValueError("a record holds no values")
    return Datum(shape, data, values, label, bool(numbers[7]))


def _number(raw: bytes, place: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        if place >= len(raw) or shift > 63:
            raise ValueError("a record ends in the middle of a number")
        byte = raw[place]
        found |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return found, place
