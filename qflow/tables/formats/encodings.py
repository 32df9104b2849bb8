"""encodings: the JSON of AIMET and QNN, versions 0.6.1, 1.0.0 and 2.0.0."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from qflow.tables.entry import Entry, Malformed, Table, positive
from qflow.tables.formats._numbers import Twice, document, finite, items, name, sequence, whole

_DTYPE = re.compile(r"(u?)int(\d{1,2})")
_WIDEST = 32


class Encodings:
    """Activations with one scale and a symmetric grid; the bits must be those of the tensor."""

    def knows(self, text: str) -> bool:
        """Whether it is an object that has encodings."""
        return text.lstrip().startswith("{") and "encodings" in text

    def read(self, text: str, shown: str) -> Table:
        """Raises Malformed."""
        found = document(text)
        version = str(found.get("version", ""))
        reader = _VERSIONS.get(version)
        if reader is None:
            raise Malformed(f"its version is none of {', '.join(_VERSIONS)}")
        entries, parameters = reader(found)
        return Table(shown, "encodings", tuple(entries), tuple(parameters))


Read = tuple[list[Entry], list[str]]


def _v061(found: Twice) -> Read:
    pairs = items(found.get("activation_encodings"), "`activation_encodings`")
    weights = items(found.get("param_encodings", Twice([])), "`param_encodings`")
    entries = [_of_061(n, sequence(v, f"the encoding of `{n}`")) for n, v in pairs]
    return entries, [n for n, _ in weights]


def _of_061(called: str, given: list[Any]) -> Entry:
    if len(given) != 1:
        return Entry(called, unusable="it has a scale per channel")
    one = Twice(items(given[0], f"the encoding of `{called}`"))
    if str(one.get("dtype", "int")).lower() != "int":
        return Entry(called, unusable="it is of floats")
    bits = whole(one.get("bitwidth"), f"the `bitwidth` of `{called}`")
    scale = finite(one.get("scale"), f"the `scale` of `{called}`")
    return _entry(called, bits, scale, whole(one.get("offset"), f"the `offset` of `{called}`"))


def _v100(found: Twice) -> Read:
    listed = sequence(found.get("activation_encodings"), "`activation_encodings`")
    weights = sequence(found.get("param_encodings", []), "`param_encodings`")
    return [_of_100(e) for e in listed], [_name(e) for e in weights]


def _of_100(given: object) -> Entry:
    called = _name(given)
    one = Twice(items(given, f"the encoding of `{called}`"))
    if one.get("dtype", "INT") != "INT":
        return Entry(called, unusable="it is of floats")
    if one.get("enc_type", "PER_TENSOR") != "PER_TENSOR":
        return Entry(called, unusable="it has more than one scale")
    scales = sequence(one.get("scale"), f"the `scale` of `{called}`")
    offsets = sequence(one.get("offset"), f"the `offset` of `{called}`")
    if len(scales) != 1 or len(offsets) != 1:
        raise Malformed(f"`{called}` has not one scale and one offset")
    bits = whole(one.get("bw"), f"the `bw` of `{called}`")
    scale = finite(scales[0], f"the `scale` of `{called}`")
    offset = finite(offsets[0], f"the `offset` of `{called}`")
    return _entry(called, bits, scale, round(offset))


def _v200(found: Twice) -> Read:
    entries, weights = [], []
    for given in sequence(found.get("encodings"), "`encodings`"):
        called = _name(given)
        one = Twice(items(given, f"the encoding of `{called}`"))
        if one.get("axis") is not None or isinstance(one.get("y_scale"), list):
            weights.append(called)
        else:
            entries.append(_of_200(called, one))
    return entries, weights


def _of_200(called: str, one: Twice) -> Entry:
    dtype = _DTYPE.fullmatch(str(one.get("output_dtype", "")))
    if dtype is None:
        return Entry(called, unusable=f"it is of `{str(one.get('output_dtype'))[:20]}`")
    bits = int(dtype[2])
    scale = finite(one.get("y_scale"), f"the `y_scale` of `{called}`")
    point = one.get("y_zero_point")
    zero = 0 if point is None else whole(point, f"the `y_zero_point` of `{called}`")
    # counted from 0, as the older versions do
    start = 0 if dtype[1] else -(1 << max(bits - 1, 0))
    return _entry(called, bits, scale, start - zero)


def _entry(called: str, bits: int, scale: float, offset: int) -> Entry:
    if not 2 <= bits <= _WIDEST:
        raise Malformed(f"`{called}` has {bits} bits")
    why = positive(scale)
    if offset != -(1 << (bits - 1)):
        why = why or "its zero point is not 0, and grids here are symmetric"
    return Entry(called, scale=scale, bits=bits, unusable=why)


def _name(given: object) -> str:
    one = Twice(items(given, "an encoding"))
    return name(one.get("name"), "an encoding")


_VERSIONS: Mapping[str, Callable[[Twice], Read]] = {
    "0.6.1": _v061,
    "1.0.0": _v100,
    "2.0.0": _v200,
}
