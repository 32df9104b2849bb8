"""Layers of any weights and geometry, every accumulator of which lies on a tie or next to one.

Inputs without their zero point are multiples of D = 2^n, rescales are odd / D, and biases are
D / 2 modulo D, or one more or less: then every accumulator is so, whatever the weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tests.conformance.both_sides import no_model
from tests.conformance.litert_case import Case, On
from tests.conformance.shared_cases import WINDOWS, on, window

PERIODS = {"int8": (16, 32), "uint8": (16, 32), "int16": (256, 2048)}
ODD = (1, 3, 5, 7)
CASES, OUT, SPREAD = 4, 24, 50
"""Outputs are about so far from 0."""


def _window3(**changes: Any) -> Mapping[str, Any]:
    plain = {"kernel": (2, 3, 3), "stride": (1, 1, 1), "padding": (1, 0, 1, 0, 1, 1)}
    return {**plain, "dilation": (1, 1, 1), "groups": 1, **changes}


TRANSPOSED = {**window((3, 3), (2, 2), (1, 1, 1, 1)), "output_padding": (1, 1)}
FORMS: Mapping[str, tuple[str, tuple[int, ...], Mapping[str, Any]]] = {
    "linear": ("linear", (1300, 24), {}),
    "conv1d": (
        "conv1d",
        (24, 8, 60),
        {"kernel": (3,), "stride": (1,), "padding": (1, 1), "dilation": (1,), "groups": 1},
    ),
    "conv3d": ("conv3d", (3, 4, 6, 10, 9), _window3()),
    "conv_transpose2d": ("conv_transpose2d", (2, 8, 14, 12), TRANSPOSED),
    **{f"conv2d, {k}": ("conv2d", (7, 8, 21, 19), a) for k, a in WINDOWS.items()},
}
"""Operator, shape of its input, attributes."""


def layers(
    dtype: str,
    form: str,
    exact: bool = False,
    residual: bool = False,
    factors: tuple[float, ...] = ODD,
) -> Iterator[Case]:
    """`exact`: only scales whose products are exact in float32, with few bits.

    `factors`: what a rescale is over D: odd, or what a profile takes for odd.
    """
    op, shape, a = FORMS[form]
    for i in range(CASES):
        random = np.random.default_rng(i)
        two = exact or i % 2 == 0
        source = on(0.125 if two else 0.0371, 0, dtype)
        target = on(0.5 if two else 0.0213, 2, dtype)
        period = PERIODS[source.dtype][i // 2 % 2]
        odd = random.choice(factors, OUT)
        groups = a.get("groups", 1)
        taps = (shape[1] // groups, *a.get("kernel", ()))
        weight = _weights(random, (OUT, *taps), odd)
        scales = odd / period * np.float32(target.scale) / np.float32(source.scale)
        operands = [multiples(random, source, period, _reached(shape, a, op))]
        sources = [source]
        bias = period * random.integers(-4, 5, OUT) + period // 2 + random.integers(-1, 2, OUT)
        if op == "conv_transpose2d":
            weight = weight.swapaxes(0, 1)
        made = Case(
            op,
            tuple(operands),
            tuple(sources),
            target,
            no_model,
            a,
            weight,
            scales.astype(np.float32),
            bias,
            weight_axis=int(op == "conv_transpose2d"),
        )
        yield _with_residual(made, random) if residual else made


def _weights(random: np.random.Generator, shape: tuple[int, ...], odd: np.ndarray) -> np.ndarray:
    """int64, as wide as outputs want it that fill their grid."""
    taps = float(np.prod(shape[1:]))
    width = np.maximum(np.rint(SPREAD / (np.sqrt(taps) * odd)), 1).astype(np.int64)
    view = width.reshape(-1, *(1,) * (len(shape) - 1))
    return random.integers(-view, view + 1, shape)


def multiples(
    random: np.random.Generator, source: On, period: int, shape: tuple[int, ...]
) -> np.ndarray:
    """Integers that are multiples of the period behind their zero point."""
    limits = np.iinfo(source.dtype)
    most = min(
        3, (limits.max - source.zero_point) // period, (source.zero_point - limits.min) // period
    )
    steps = random.integers(-most, most + 1, shape)
    return (source.zero_point + period * steps).astype(source.dtype)


def _reached(shape: tuple[int, ...], a: Mapping[str, Any], op: str) -> tuple[int, ...]:
    """The shape without rows and columns that no window reaches: TOSA takes no others."""
    if op in ("linear", "conv_transpose2d"):
        return shape
    n, found = len(shape) - 2, list(shape)
    for i in range(n):
        reach = a["dilation"][i] * (a["kernel"][i] - 1) + 1
        found[2 + i] -= (shape[2 + i] + a["padding"][i] + a["padding"][n + i] - reach) % (
            a["stride"][i]
        )
    return tuple(found)


def _with_residual(case: Case, random: np.random.Generator) -> Case:
    """A residual on a grid whose step is a whole number of the target's: ties stay ties."""
    from qflow.emulation.op import op as operator

    assert case.weight is not None, "a layer has weights"
    shape = operator(case.op).shape(case.attributes, [case.operands[0].shape], case.weight.shape)
    step = On(case.target.scale * 2, case.sources[0].zero_point, case.target.dtype)
    low, high = -20 + step.zero_point, 21 + step.zero_point
    added = random.integers(low, high, shape).astype(step.dtype)
    return replace(
        case,
        operands=(*case.operands, added),
        sources=(*case.sources, step),
        residual=True,
    )


def products(dtype: str, exact: bool = False) -> Iterator[Case]:
    """Products of two activations; the last of the inner values makes the tie."""
    random = np.random.default_rng(21)
    for i in range(3):
        two = exact or i != 1
        period = PERIODS["uint8" if dtype == "uint8" else "int8"][i % 2]
        left_on, right_on = (
            on(0.25 if two else 0.05, 0, dtype),
            on(0.125 if two else 0.03, 1, dtype),
        )
        target = On(
            left_on.scale * right_on.scale * period, on(1, 2, dtype).zero_point, left_on.dtype
        )
        left = multiples(random, left_on, period, (12, 60, 9))
        nudge = period // 2 + random.integers(-1, 2, (12, 60))
        left[:, :, -1] = (left_on.zero_point + nudge).astype(left_on.dtype)
        right = right_on.zero_point + random.integers(-9, 10, (12, 9, 60))
        right[:, -1] = right_on.zero_point + random.choice((-1, 1), (12, 60))
        operands = (left, right.astype(right_on.dtype))
        yield Case("matmul", operands, (left_on, right_on), target, no_model)
