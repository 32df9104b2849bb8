"""Layers of any weights, every accumulator of which lies on a tie of its rescale or next to one.

Inputs without their zero point are multiples of a period D = 2^n apart, and rescales are odd / D:
whether acc * odd / D is k + 1/2 depends on acc modulo D only, and so on the bias alone. In half of
the cases a rescale is exactly odd / D, in the others as near as float32 scales come to it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.conformance.litert_case import Case, On
from tests.conformance.litert_gemm import window, write_conv, write_linear, write_transposed

PERIODS = {"int8": (32, 64, 128), "int16": (256, 1024, 4096)}
"""An int8 input takes 8, 4 or 2 values, an int16 one 256, 64 or 16."""
ODD = (1, 3, 5, 7)
ZEROS = {"int8": (3, -7), "int16": (0, 0)}
GEOMETRIES = ((1, 1, None), (2, 1, "relu"), (1, 1, None), (1, 2, "relu6"))
"""Stride, dilation, and what is fused behind."""
CASES = 40
OUT, ROWS, IMAGE = 24, 220, (20, 18)
CHANNELS = {"conv2d": 8, "depthwise": OUT, "linear": 32, "conv_transpose2d": 8}
LARGEST = 127


def cases(op: str, dtype: str) -> Iterator[Case]:
    """`op` is a key of `CHANNELS`."""
    for i in range(CASES):
        yield _layer(op, dtype, i)


def distances(case: Case, accumulators: np.ndarray) -> np.ndarray:
    """How many accumulators the next tie is away, at least; `accumulators` is int64 [..., out]."""
    assert case.weight_scale is not None, "a layer has weights"
    source, target = np.float32(case.sources[0].scale), np.float32(case.target.scale)
    ratio = case.weight_scale.astype(np.float64) * source / target
    real = accumulators * ratio
    return np.abs(real - np.floor(real) - 0.5) / ratio


def _layer(op: str, dtype: str, seed: int) -> Case:
    random = np.random.default_rng(seed)
    period = PERIODS[dtype][seed % 3]
    stride, dilation, activation = GEOMETRIES[seed % 4]
    x, y = (0.125, 0.5) if seed % 2 else (0.0371, 0.0213)
    source, target = (On(s, z, dtype) for s, z in zip((x, y), ZEROS[dtype], strict=True))
    odd = random.choice(ODD, OUT)
    weight = _weights(op, random, period / odd)
    scales = (odd / period * np.float32(y) / np.float32(x)).astype(np.float32)
    residues = random.integers(0, period, CHANNELS[op])
    if op == "conv_transpose2d":
        residues[:] = 0  # at the borders not every tap counts
    operand = _operand(op, random, period, residues, source)
    bias = _biases(op, random, period, residues, weight)
    ends = (operand,), (source,), target
    if op == "linear":
        return Case(op, *ends, write_linear, {}, weight, scales, bias, activation)
    groups = CHANNELS[op] if op == "depthwise" else 1
    attributes = window((3, 3), stride, dilation, groups)
    if op != "conv_transpose2d":
        return Case("conv2d", *ends, write_conv, attributes, weight, scales, bias, activation)
    attributes = {**window((3, 3), stride), "output_padding": (0, 0)}
    turned = weight.transpose(1, 0, 2, 3)
    return Case(op, *ends, write_transposed, attributes, turned, scales, bias, weight_axis=1)


def _weights(op: str, random: np.random.Generator, per_step: np.ndarray) -> np.ndarray:
    """int64 [out, ...] as wide as outputs that fill their grid want it; every sixth as wide as int8.

    `per_step` is how many accumulators one step of the output has.
    """
    channels = 1 if op == "depthwise" else CHANNELS[op]
    shape = (OUT, channels) if op == "linear" else (OUT, channels, 3, 3)
    taps = np.prod(shape[1:])
    width = np.clip(np.rint(per_step / np.sqrt(taps)), 1, LARGEST).astype(np.int64)
    width[::6] = LARGEST
    view = width.reshape(-1, *(1,) * (len(shape) - 1))
    return random.integers(-view, view + 1, shape)


def _operand(
    op: str, random: np.random.Generator, period: int, residues: np.ndarray, source: On
) -> np.ndarray:
    """Every value of a channel is its residue modulo the period, without the zero point."""
    limits = np.iinfo(source.dtype)
    shape = (ROWS, residues.size) if op == "linear" else (1, residues.size, *IMAGE)
    least = limits.min + (residues + source.zero_point - limits.min) % period
    first = least.reshape(1, -1, *(1,) * (len(shape) - 2))
    steps = (limits.max - limits.min + 1) // period
    return (first + period * random.integers(0, steps, shape)).astype(source.dtype)


def _biases(
    op: str, random: np.random.Generator, period: int, residues: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """What brings the accumulators of each channel to a tie, one below it or one above."""
    taps = weight.reshape(OUT, weight.shape[1], -1).sum(axis=2)
    sums = taps[:, 0] * residues if op == "depthwise" else taps @ residues
    near = period // 2 + random.integers(-1, 2, OUT)
    return (near - sums) % period + period * random.integers(-8, 8, OUT)
