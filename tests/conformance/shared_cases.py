"""Cases that every runtime with integer operators can run, over dtypes and zero points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tests.conformance.both_sides import no_model
from tests.conformance.litert_case import MASK, Case, On
from tests.emulation import ties

ZEROS = {"int8": (3, -7, 5), "uint8": (121, 135, 129), "int16": (0, 0, 0), "plain": (0, 0, 0)}
"""Of two operands and the result; `plain` is int8 on a symmetric grid."""
FINER = {"int8": 1.0, "uint8": 1.0, "int16": 2.0**-8}
SCALES, PER_SCALE = 32, 8
LOWEST = {"int8": 22, "uint8": 22, "int16": 14}
"""Rescales go down to 2^-n: an int32 bias reaches every output there."""
LARGEST = 0.9


def on(scale: float, place: int, dtype: str, zeros: Mapping[str, Any] = ZEROS) -> On:
    kind = "int8" if dtype == "plain" else dtype
    return On(scale * FINER[kind], zeros[dtype][place], kind)


def integers(random: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    limits = np.iinfo(kind)
    return random.integers(limits.min, limits.max + 1, shape).astype(kind)


def rescales(op: str, dtype: str) -> Iterator[Case]:
    """Weights of one and every byte around each bias: accumulators on ties, and on both sides."""
    for two in (False, True):
        first, second = (0.125, 0.5) if two else (0.0371, 0.0213)
        source, target = on(first, 0, dtype), on(second, 2, dtype)
        lowest = LOWEST[source.dtype]
        if two:
            exact = np.ldexp(1.0, -1 - (np.arange(SCALES) % lowest))
        else:
            exact = np.exp2(np.random.default_rng(7).uniform(-lowest, np.log2(LARGEST), SCALES))
        scales = (exact * np.float32(target.scale) / np.float32(source.scale)).astype(np.float32)
        ratios = scales.astype(np.float64) * np.float32(source.scale) / np.float32(target.scale)
        top = np.iinfo(target.dtype).max
        acc = np.concatenate(
            [ties.near_ties(r, PER_SCALE, top, seed=i) for i, r in enumerate(ratios.tolist())]
        )
        limits = np.iinfo(source.dtype)
        every = np.linspace(limits.min, limits.max, 256).astype(source.dtype)
        image = op != "linear"
        yield Case(
            op,
            (every.reshape((1, 1, 16, 16) if image else (256, 1)),),
            (source,),
            target,
            no_model,
            window((1, 1)) if image else {},
            np.ones((acc.size, 1, 1, 1) if image else (acc.size, 1)),
            np.repeat(scales, PER_SCALE),
            acc,
        )


def window(
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
) -> dict[str, Any]:
    return {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }


WINDOWS = {
    "strided": window((3, 2), (2, 1)),
    "padded": window((3, 3), padding=(1, 2, 0, 1)),
    "dilated": window((3, 3), padding=(2, 1, 2, 1), dilation=(2, 1)),
    "grouped": window((3, 3), padding=(1, 1, 1, 1), groups=4),
    "depthwise": window((3, 3), (1, 2), (1, 1, 1, 1), groups=8),
}


def convolutions(dtype: str, form: str, exact: bool = False) -> Iterator[Case]:
    """Small weights, so that with powers of two many accumulators are ties; `exact`: only those."""
    random = np.random.default_rng(4)
    a, channels, out = WINDOWS[form], 8, 24
    for two in (True,) if exact else (True, False):
        source = on(0.125 if two else 0.11, 0, dtype)
        target = on(0.5 if two else 0.37, 2, dtype)
        step = source.scale / target.scale
        shape = (out, channels // a["groups"], *a["kernel"])
        ratio = np.exp2(-random.integers(2, 6, out) if two else random.uniform(-6, -2, out))
        weight = random.integers(-3, 4, shape)
        weight[:, 0, 0, 0] = 63
        yield Case(
            "conv2d",
            (integers(random, source.dtype, (16, channels, 27, 25)),),
            (source,),
            target,
            no_model,
            a,
            weight,
            (ratio / step).astype(np.float32),
            random.integers(-500, 500, out),
        )


def linears(dtype: str, exact: bool = False) -> Iterator[Case]:
    """The same of rows."""
    random = np.random.default_rng(5)
    out, width = 128, 9
    for two in (True,) if exact else (True, False):
        source = on(0.125 if two else 0.11, 0, dtype)
        target = on(0.5 if two else 0.37, 2, dtype)
        step = source.scale / target.scale
        ratio = np.exp2(-random.integers(2, 6, out) if two else random.uniform(-6, -2, out))
        weight = random.integers(-3, 4, (out, width))
        weight[:, 0] = 63
        yield Case(
            "linear",
            (integers(random, source.dtype, (900, width)),),
            (source,),
            target,
            no_model,
            {},
            weight,
            (ratio / step).astype(np.float32),
            random.integers(-500, 500, out),
        )


def products(dtype: str) -> Iterator[Case]:
    """Products of two activations; of powers of two many are ties."""
    random = np.random.default_rng(21)
    for i, triple in enumerate(((0.25, 0.125, 8.0), (0.05, 0.03, 0.6), (0.25, 0.5, 32.0))):
        grids = [on(s, p, dtype) for p, s in enumerate(triple)]
        inner = (8, 16, 24)[i]
        left = integers(random, grids[0].dtype, (14, 64, inner))
        right = integers(random, grids[1].dtype, (14, inner, 64))
        yield Case("matmul", (left, right), tuple(grids[:2]), grids[2], no_model)


TRIPLES = ((0.25, 0.125, 0.5), (0.011, 0.37, 0.4), (0.05, 0.03, 0.07), (0.5, 0.5, 1.0))
FACTORS = ((0.25, 0.125, 0.5), (0.05, 0.03, 0.17), (0.0371, 0.0213, 0.0113))


def pairs(op: str, dtype: str) -> Iterator[Case]:
    """Every pair of 8 bits, as many of 16, half of them small."""
    random = np.random.default_rng(8)
    for triple in FACTORS if op == "mul" else TRIPLES:
        grids = [on(s, p, dtype) for p, s in enumerate(triple)]
        kind = grids[0].dtype
        limits = np.iinfo(kind)
        if kind == "int16":
            small = random.integers(-500, 500, (2, 128, 256)).astype(kind)
            both = np.concatenate([integers(random, kind, (2, 128, 256)), small], axis=1)
            left, right = both
        else:
            every = np.arange(limits.min, limits.max + 1).astype(kind)
            left, right = (np.ascontiguousarray(m) for m in np.meshgrid(every, every))
        yield Case(op, (left, right), tuple(grids[:2]), grids[2], no_model)


def singles(op: str, dtype: str, count: int, **settings: Any) -> Iterator[Case]:
    """Every value, from and to many grids; every other pair of scales are powers of two."""
    random = np.random.default_rng(5)
    for i in range(count):
        first, second = 0.05, 0.05 * 2 ** random.uniform(-1.5, 1.5)
        if i % 2:
            first, second = 2.0**-5, 2.0 ** -random.integers(2, 8)
        if i % 4 == 2:  # ties of the real scales that float32 may miss
            first = random.uniform(0.01, 0.1)
            second = first * 2.0 ** random.integers(-1, 3)
        source, target = on(first, 0, dtype), on(second, 2, dtype)
        limits = np.iinfo(source.dtype)
        values = np.arange(limits.min, limits.max + 1).reshape(-1, 256).astype(source.dtype)
        yield Case(op, (values,), (source,), target, no_model, settings)


def images(kind: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Half of them random, half of them nearly constant."""
    random = np.random.default_rng(seed)
    limits = np.iinfo(kind)
    values = integers(random, kind, shape).astype(np.int64)
    half = shape[0] // 2
    level = random.integers(limits.min + 4, limits.max - 4, (half, shape[1], 1, 1))
    values[:half] = level + random.integers(-2, 3, (half, *shape[1:]))
    return values.astype(kind)


POOLS = (
    ((2, 2), (2, 2), (0, 0, 0, 0)),
    ((3, 3), (1, 2), (1, 1, 1, 1)),
    ((5, 4), (3, 3), (0, 0, 0, 0)),
    ((4, 4), (2, 2), (0, 0, 0, 0)),
)


def pools(op: str, dtype: str, own_grid: bool = True, **settings: Any) -> Iterator[Case]:
    """`own_grid`: the result has a grid of its own."""
    for i, (kernel, stride, padding) in enumerate(POOLS):
        source = on(0.25 if i % 2 else 0.05, 0, dtype)
        target = on(0.125 if i % 2 else 0.031, 2, dtype) if own_grid else source
        attributes = {"kernel": kernel, "stride": stride, "padding": padding, **settings}
        operand = images(source.dtype, (16, 32, 23, 21), i)
        yield Case(op, (operand,), (source,), target, no_model, attributes)


def image_means(dtype: str) -> Iterator[Case]:
    """Of 16 and 64 values with powers of two as scales, half are ties."""
    forms = ((4, 4, 0.25, 0.125), (8, 8, 0.25, 0.25), (5, 7, 0.05, 0.031), (7, 7, 0.017, 0.0071))
    for i, (rows, columns, first, second) in enumerate(forms):
        source, target = on(first, 0, dtype), on(second, 2, dtype)
        operand = images(source.dtype, (440, 128, rows, columns), i)
        yield Case("adaptive_avg_pool2d", (operand,), (source,), target, no_model)


def joined(dtype: str) -> Iterator[Case]:
    """Two tensors behind one another on a third grid; one of them may lie on it already."""
    for i, case in enumerate(singles("cat", dtype, 200)):
        other = on(0.0413 if i % 3 else case.target.scale, 1 if i % 3 else 2, dtype)
        yield Case(
            "cat",
            (case.operands[0], case.operands[0][::-1].copy()),
            (case.sources[0], other),
            case.target,
            no_model,
            {"dim": 1},
        )


def exact_averages(dtype: str) -> Iterator[Case]:
    """Windows of 4 and 16 values, whose means floats hold."""
    for i, kernel in enumerate(((2, 2), (4, 4), (4, 2))):
        source, target = on(0.25, 0, dtype), on(0.125, 2, dtype)
        operand = images(source.dtype, (24, 32, 20, 16), i)
        attributes = {"kernel": kernel, "stride": (2, 2), "padding": (1, 0, 1, 0)}
        yield Case("avg_pool2d", (operand,), (source,), target, no_model, attributes)


def shares(dtype: str) -> Iterator[Case]:
    """Rows of many lengths, from scales that let everything count to scales that let one count."""
    random = np.random.default_rng(12)
    for i, length in enumerate((2, 3, 10, 32, 100, 257)):
        for j, first in enumerate((0.004, 0.03, 2.0**-4, 0.25)):
            source = on(first, 0, dtype)
            limits = np.iinfo(source.dtype)
            span = (limits.max - limits.min) >> (i % 3)
            operand = limits.max - random.integers(0, span + 1, (6000 // length + 1, length))
            # no share of 1 leaves the grid: onnxruntime wraps around there
            kind = source.dtype
            target = On((1 / 255, 1 / 127)[j % 2], (0, limits.min)[kind == "int8"], kind)
            operand = operand.astype(kind)
            yield Case("softmax", (operand,), (source,), target, no_model, {"dim": 1})


def numbered(op: str, dtype: str, count: int) -> Iterator[Case]:
    """A tensor and a number, some below 0."""
    for i, number in enumerate((0.7, -1.3, 2.0, -0.25)):
        yield from singles(op, dtype, max(1, count // 4), scalar=number, **_reflected(op, i))


def differences(op: str, dtype: str) -> Iterator[Case]:
    """int16 on grids where the second operand's own rescale has ties, and so has the last one."""
    random = np.random.default_rng(15)
    for odd in (1, 3, 5):
        step = 2.0**-9
        grids = [On(s, 0, dtype) for s in (step, step * odd * 2.0**-15, step * 2.0**-10)]
        left = random.integers(-31, 32, (256, 256)).astype(dtype)
        right = integers(random, dtype, (256, 256))
        yield Case(op, (left, right), tuple(grids[:2]), grids[2], no_model)


def _reflected(op: str, place: int) -> dict[str, Any]:
    return {"reflected": True} if op == "sub" and place % 2 else {}


def sloped(dtype: str, count: int) -> Iterator[Case]:
    """Every value per channel, each with a slope of its own, one of them below 0."""
    for case in singles("prelu", dtype, count):
        flat = case.operands[0].reshape(-1)
        values = np.stack([flat, flat[::-1], flat, flat], axis=1)
        slopes = np.array([0.25, 0.1, -0.5, 1.7], np.float32)
        yield replace(case, operands=(values,), weight=slopes)


def chosen(op: str, dtype: str) -> Iterator[Case]:
    """Values that a mask takes; of two tensors both lie on grids of their own."""
    random = np.random.default_rng(14)
    for i in range(8):
        first, second, third = (0.05, 0.037, 0.041) if i % 2 else (0.25, 0.125, 0.5)
        grids = [on(s, p, dtype) for p, s in enumerate((first, second, third))]
        left, right = (integers(random, grids[0].dtype, (128, 128)) for _ in range(2))
        mask = random.integers(0, 2, left.shape).astype(np.int32)
        if op == "masked_fill":
            settings = {"value": (-1.0, 0.3, 99.0)[i % 3]}
            yield Case(op, (left, mask), (grids[0], MASK), grids[2], no_model, settings)
            continue
        sources = (MASK, grids[0], grids[1])
        numbers = {"yes": None, "no": None}
        yield Case(op, (mask, left, right), sources, grids[2], no_model, numbers)
