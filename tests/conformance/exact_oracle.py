"""Operators under `mul15` and `shift`, in whole numbers and fractions of Python alone.

Written from the formulas that the profiles publish; nothing of the emulator is used. With M the
scale of a value over that of the result, M = f * 2^e, f in [1/2, 1):

- mul15: y = floor(acc * m / 2^s + 1/2), m = floor(f * 2^15 + 1/2), s = 15 - e; a carry is undone;
- shift: y = floor(acc / 2^s + 1/2), s = -e or 1 - e, whichever power of two is nearer by its ratio.

A sum brings both operands onto a grid 2^20 (8 bits) or 2^15 (16 bits) times as fine as twice the
coarser one. A residual comes onto the accumulator's grid and is added there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product
from math import floor

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, On

HALF = Fraction(1, 2)
GUARD = {"int8": 20, "int16": 15}


def expected(graph: IntegerGraph, case: Case) -> np.ndarray:
    """The integers of the case; of the graph only the profile's name counts."""
    found = OPERATORS[case.op](graph.profile, case) + case.target.zero_point
    limits = np.iinfo(case.target.dtype)
    return np.clip(found, limits.min, limits.max)


def constants(profile: str, ratio: Fraction) -> tuple[int, int]:
    """Multiplier and shift of a ratio above 0."""
    exponent = 0
    while ratio >= 1:
        ratio, exponent = ratio / 2, exponent + 1
    while ratio < HALF:
        ratio, exponent = ratio * 2, exponent - 1
    if profile == "shift":
        return 1, -exponent if ratio * ratio >= HALF else 1 - exponent
    multiplier = floor(ratio * 2**15 + HALF)
    return (2**14, 14 - exponent) if multiplier == 2**15 else (multiplier, 15 - exponent)


def rescaled(profile: str, values: np.ndarray, ratio: Fraction) -> np.ndarray:
    multiplier, shift = constants(profile, ratio)
    step = Fraction(multiplier) / Fraction(2) ** shift
    nudge = HALF if shift > 0 else 0
    every, where = np.unique(values, return_inverse=True)
    answers = np.array([floor(value * step + nudge) for value in every.tolist()], np.int64)
    return answers[where].reshape(values.shape)


def _per_channel(
    profile: str, values: np.ndarray, ratios: list[Fraction], axis: int = 1
) -> np.ndarray:
    parts = np.moveaxis(values, axis, 0)
    done = [rescaled(profile, part, r) for part, r in zip(parts, ratios, strict=True)]
    return np.moveaxis(np.stack(done), 0, axis)


def _exact(scale: float | np.floating) -> Fraction:
    """A scale is the float32 it is stored as."""
    return Fraction(float(np.float32(scale)))


def _centred(values: np.ndarray, on: On) -> np.ndarray:
    return values.astype(np.int64) - on.zero_point


def _step(case: Case, *sources: On) -> Fraction:
    """The product of the scales over that of the result."""
    found = Fraction(1)
    for on in sources:
        found *= _exact(on.scale)
    return found / _exact(case.target.scale)


def _layer(profile: str, case: Case) -> np.ndarray:
    assert case.weight is not None, "a layer has weights"
    assert case.weight_scale is not None, "weights have a scale"
    x = _centred(case.operands[0], case.sources[0])
    bias = np.asarray(case.bias).astype(np.int64)
    sums = {"linear": _rows, "conv_transpose2d": _spread}.get(case.op, _slid)(x, case)
    acc = sums + bias.reshape(1, -1, *(1,) * (sums.ndim - 2))
    steps = [_exact(case.sources[0].scale) * _exact(s) for s in case.weight_scale]
    if case.residual:
        on = case.sources[1]
        onto = [_exact(on.scale) / step for step in steps]
        acc = acc + _per_channel(profile, _centred(case.operands[1], on), onto)
    return _per_channel(profile, acc, [step / _exact(case.target.scale) for step in steps])


def _rows(x: np.ndarray, case: Case) -> np.ndarray:
    assert case.weight is not None
    return np.einsum("ni,oi->no", x, case.weight)


def _slid(x: np.ndarray, case: Case) -> np.ndarray:
    """Tap by tap: what each adds to every place of the output."""
    a, weight = case.attributes, case.weight
    assert weight is not None
    (top, left, bottom, right), (down, across) = a["padding"], a["stride"]
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [d * (k - 1) + 1 for d, k in zip(a["dilation"], a["kernel"], strict=True)]
    rows, columns = (
        (s - r) // t + 1 for s, r, t in zip(x.shape[2:], reach, a["stride"], strict=True)
    )
    total = np.zeros((len(x), len(weight), rows, columns), np.int64)
    inside, outside = weight.shape[1], len(weight) // a["groups"]
    for i, j in product(*map(range, a["kernel"])):
        y, z = i * a["dilation"][0], j * a["dilation"][1]
        seen = x[:, :, y : y + down * rows : down, z : z + across * columns : across]
        for g in range(a["groups"]):
            filters = weight[g * outside : (g + 1) * outside, :, i, j]
            part = seen[:, g * inside : (g + 1) * inside]
            total[:, g * outside : (g + 1) * outside] += np.einsum("nihw,oi->nohw", part, filters)
    return total


def _spread(x: np.ndarray, case: Case) -> np.ndarray:
    """Of every value its square of weights, where it lands; [inputs, outputs, rows, columns]."""
    a, weight = case.attributes, case.weight
    assert weight is not None
    (down, across), (rows, columns) = a["stride"], x.shape[2:]
    height = (rows - 1) * down + a["kernel"][0] + a["output_padding"][0]
    width = (columns - 1) * across + a["kernel"][1] + a["output_padding"][1]
    whole = np.zeros((len(x), weight.shape[1], height, width), np.int64)
    for i, j in product(*map(range, a["kernel"])):
        lands = np.s_[:, :, i : i + down * rows : down, j : j + across * columns : across]
        whole[lands] += np.einsum("nihw,io->nohw", x, weight[:, :, i, j])
    top, left, bottom, right = a["padding"]
    return whole[:, :, top : height - bottom, left : width - right]


def _product(profile: str, case: Case) -> np.ndarray:
    left, right = (_centred(x, on) for x, on in zip(case.operands, case.sources, strict=True))
    acc = np.einsum("nik,nkj->nij", left, right) if case.op == "matmul" else left * right
    return rescaled(profile, acc, _step(case, *case.sources))


def _sum(profile: str, case: Case) -> np.ndarray:
    scales = [_exact(on.scale) for on in case.sources]
    coarse, fine = 2 * max(scales), 2 ** GUARD[case.sources[0].dtype]
    terms = [
        rescaled(profile, _centred(x, on), s / coarse * fine)
        for x, on, s in zip(case.operands, case.sources, scales, strict=True)
    ]
    return rescaled(profile, terms[0] + terms[1], coarse / fine / _exact(case.target.scale))


def _mean(profile: str, case: Case) -> np.ndarray:
    (axis,) = case.attributes["dims"]
    total = _centred(case.operands[0], case.sources[0]).sum(axis, keepdims=True)
    return rescaled(profile, total, _step(case, *case.sources) / case.operands[0].shape[axis])


def _pool(profile: str, case: Case) -> np.ndarray:
    """Windows count their padding."""
    a, x = case.attributes, _centred(case.operands[0], case.sources[0])
    top, left, bottom, right = a["padding"]
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    (high, wide), (down, across) = a["kernel"], a["stride"]
    rows, columns = (x.shape[2] - high) // down + 1, (x.shape[3] - wide) // across + 1
    total = np.zeros((*x.shape[:2], rows, columns), np.int64)
    for i, j in product(range(high), range(wide)):
        total += x[:, :, i : i + down * rows : down, j : j + across * columns : across]
    return rescaled(profile, total, _step(case, *case.sources) / (high * wide))


def _moved(profile: str, case: Case) -> np.ndarray:
    on = case.sources[0]
    return rescaled(profile, _centred(case.operands[0], on), _step(case, on))


OPERATORS: Mapping[str, Callable[[str, Case], np.ndarray]] = {
    **dict.fromkeys(("conv2d", "conv_transpose2d", "linear"), _layer),
    **dict.fromkeys(("mul", "matmul"), _product),
    "add": _sum,
    "mean": _mean,
    "avg_pool2d": _pool,
    "identity": _moved,
}
