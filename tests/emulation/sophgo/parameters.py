"""The parameters of a lowered operator, the vendor's beside qflow's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from qflow.emulation.op import Call
from tests.emulation.sophgo.vectors import Case

Pair = tuple[str, np.ndarray, np.ndarray]
"""What it is, the vendor's values, qflow's."""
TENSOR = "qw."


def pairs(case: Case, op: Mapping[str, Any], call: Call) -> Iterator[Pair]:
    """Everything the vendor derived for an operator. A role qflow does not have is empty."""
    kind = op["type"].removeprefix("tpu.")
    for key, value in op["attrs"].items():
        found = _ATTRIBUTES.get((kind, key)) or _ATTRIBUTES.get(("", key))
        if found is None or (kind, key) in _IDLE:
            continue
        yield key, np.atleast_1d(np.asarray(value, np.float64)), found(call)
    for name in op["ins"]:
        if name is None or not name.startswith(TENSOR) or name not in case.arrays:
            continue
        stored = case.arrays[name]
        if kind.startswith("RequantInt"):
            yield from _requant(case, stored, call)
        else:
            role, found = _tensor(kind, op, name, call)
            vendor = stored.reshape(-1).astype(np.float64)
            if kind in _SPREAD and found.size == 1:
                found = np.broadcast_to(found, vendor.shape)
            yield role, vendor, found


def _constants(*roles: str) -> Callable[[Call], np.ndarray]:
    def read(call: Call) -> np.ndarray:
        found = [call.constants[r].reshape(-1) for r in roles if r in call.constants]
        return np.concatenate(found).astype(np.float64) if found else np.zeros(0)

    return read


def _first(*roles: str) -> Callable[[Call], np.ndarray]:
    """The first of the constants that there is."""

    def read(call: Call) -> np.ndarray:
        return _constants(next((r for r in roles if r in call.constants), roles[0]))(call)

    return read


_ATTRIBUTES: Mapping[tuple[str, str], Callable[[Call], np.ndarray]] = {
    # of q31: what lies above zero has a multiplier as well
    ("LeakyRelu", "multiplier"): _first("positive_multiplier", "multiplier"),
    ("LeakyRelu", "rshift"): _first("positive_shift", "shift"),
    ("LeakyRelu", "multiplier_neg"): _constants("multiplier"),
    ("LeakyRelu", "rshift_neg"): _constants("shift"),
    ("PReluOp", "multiplier_pos"): _constants("positive_multiplier"),
    ("PReluOp", "rshift_pos"): _constants("positive_shift"),
    ("", "multiplier"): _constants("multiplier"),
    ("", "rshift"): _constants("shift"),
    ("", "multipliers"): _constants("multiplier", "left_multiplier", "right_multiplier"),
    ("", "rshifts"): _constants("shift", "left_shift", "right_shift"),
    ("AddConst", "const_val"): _constants("addend"),
    ("SubConst", "const_val"): _constants("addend"),
    ("MaxConst", "const_val"): _constants("value"),
    ("MinConst", "const_val"): _constants("value"),
    ("Pad", "val"): _constants("value"),
}
"""By operator and attribute of the vendor; an empty operator stands for all others."""
_IDLE = {
    ("Conv3D", "multiplier"),
    ("Conv3D", "rshift"),
    ("MaxConst", "multiplier"),
    ("MaxConst", "rshift"),
    ("MinConst", "multiplier"),
    ("MinConst", "rshift"),
}
"""Attributes that say nothing: those of a convolution are in its requant, the others are 1 and 0."""


_SPREAD = ("Max", "Min")
"""Operators whose one number the vendor stores as a whole tensor (q31)."""


def _tensor(kind: str, op: Mapping[str, Any], name: str, call: Call) -> tuple[str, np.ndarray]:
    if "filter" in name:
        weight = call.constants.get("weight", np.zeros(0))
        turned = (
            kind == "MatMul" and call.node.op == "linear" and not op["attrs"]["right_transpose"]
        )
        return "filter", (weight.T if turned else weight).reshape(-1).astype(np.float64)
    if "_lshift_" in name:
        return "lshift", -_constants("shift")(call)
    for word, roles in _WORDS.items():
        if word in name:
            return word, _constants(*roles)(call)
    return "constant", _constants("value", "weight")(call)


_WORDS: Mapping[str, tuple[str, ...]] = {
    "_bias_": ("bias",),
    "_scale_": ("multiplier",),
    "_table": ("table",),
    "_slope_": ("multiplier",),
}


def _requant(case: Case, stored: np.ndarray, call: Call) -> Iterator[Pair]:
    """Multipliers and shifts of a RequantInt: (m, -r, zero point), packed in two on BM1688."""
    if case.processor == "bm1688":
        rows = stored.reshape(-1, 2)
        shift = -(rows[:, 1] & 0xFFFF).astype(np.int64)
        shift = np.where(shift < -0x8000, shift + 0x10000, shift)
    else:
        rows = stored.reshape(-1, 3)
        shift = -rows[:, 1].astype(np.int64)
    yield "requant multiplier", rows[:, 0].astype(np.float64), _constants("multiplier")(call)
    yield "requant shift", shift.astype(np.float64), _constants("shift")(call)


def differences(vendor: np.ndarray, found: np.ndarray) -> int:
    """How many values differ; all of them where there are none, or not as many."""
    if found.size == 0:
        return int(vendor.size)
    if found.size != vendor.size:
        same = vendor.size == 1 or (vendor.size and found.size % vendor.size == 0)
        if not same or vendor.size != 1:
            return int(vendor.size)
        return int((found != vendor).any())
    return int((vendor != found).sum())
