"""Sums along axes, magnitudes, opposites, quotients, slopes per channel and resized images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, On, node_of, shape_last
from tests.conformance.litert_elementwise import FINER, pairs
from tests.conformance.litert_moves import ints, writer
from tests.conformance.litert_pools import images
from tests.conformance.tflite_writer import constant, model

ZEROS = {"int8": ((3, 5), (-7, -128), (0, 0)), "int16": ((0, 0),)}
QUOTIENTS = ((0.25, 0.125, 0.5), (0.011, 0.37, 0.004), (0.05, 0.03, 0.07), (0.031, 0.0113, 0.29))
"""Scales of both operands and of the result."""
SIZES = (
    ((36, 8), (111, 135)),
    ((38, 33), (119, 35)),
    ((7, 9), (14, 18)),
    ((9, 7), (13, 5)),
    ((8, 8), (3, 19)),
    ((5, 6), (11, 6)),
    ((4, 4), (8, 8)),
)
"""Of an image, and of what it is resized to. In the first two, places lie next to a pixel's end."""
PLANES = 150_000
"""Values of the largest result, about."""


def sums(dtype: str) -> Iterator[Case]:
    """Sums along the last axis or the one behind the batch; half of the ratios are powers of two."""
    for i, (shape, dims, keepdim) in enumerate(
        (((600, 40, 16), (2,), False), ((600, 9, 50), (1,), True), ((600, 20, 35), (2,), True))
    ):
        for first, second in ((0.25, 2.0), (0.05, 0.31), (0.017, 0.071), (0.25, 4.0)):
            for zeros in ZEROS[dtype]:
                source, target = (
                    On(s * FINER[dtype], z, dtype)
                    for s, z in zip((first, second), zeros, strict=True)
                )
                samples = shape[0] // len(ZEROS[dtype])
                operand = images(dtype, (samples, *shape[1:], 1), i)[..., 0]
                write = writer("SUM", "Reducer", behind=(ints(*dims),), keepDims=keepdim)
                attributes = {"dims": dims, "keepdim": keepdim}
                yield Case("sum", (operand,), (source,), target, write, attributes)


def opposites(dtype: str) -> Iterator[Case]:
    """NEG turns the integers themselves, which is right where the zero points are opposites."""
    random = np.random.default_rng(6)
    for _ in range(400 if dtype == "int8" else 2):
        zero = int(random.integers(-127, 128)) if dtype == "int8" else 0
        source, target = On(0.05, zero, dtype), On(0.05, -zero, dtype)
        yield Case("neg", (_every(dtype),), (source,), target, writer("NEG", "Neg", 1))


def quotients(dtype: str) -> Iterator[Case]:
    """No divisor is zero: LiteRT refuses it."""
    for i, triple in enumerate(QUOTIENTS):
        for k, zeros in enumerate(((3, -7, 5), (0, -128, -128), (-128, 127, 0))):
            held = zeros if dtype == "int8" else (0, 0, 0)
            finer = FINER[dtype] if dtype == "int16" and i % 2 else 1.0
            scales = triple[0], triple[1], triple[2] * finer
            first, second, target = (On(s, z, dtype) for s, z in zip(scales, held, strict=True))
            left, right = pairs(dtype, i + 10 * k)
            divisor = np.where(right == second.zero_point, right + (1 if k < 2 else -1), right)
            activation = (None, "relu", "relu6", None)[i]
            operands = left, divisor.astype(dtype)
            yield Case("div", operands, (first, second), target, _write_div, activation=activation)
            if dtype == "int16":
                break


def slopes(dtype: str) -> Iterator[Case]:
    """Negative fractions and zero among them; every value of int8 meets each."""
    random = np.random.default_rng(8)
    for i in range(16):
        channels = 64 if i % 2 else 1
        weight = random.uniform(-1.2, 1.2, channels).astype(np.float32)
        weight[0] = 0.0 if i % 4 == 1 else 0.25
        source, target = 0.05, 0.05 * 2 ** random.uniform(-1.5, 1.5)
        if i % 4 < 2:
            source, target = 2.0**-5, 2.0 ** -random.integers(3, 7)
        zeros = random.integers(-128, 128, 2) if dtype == "int8" else (0, 0)
        grids = (
            On(s * FINER[dtype], int(z), dtype)
            for s, z in zip((source, target), zeros, strict=True)
        )
        first, second = grids
        every = _every(dtype).ravel()[:: 1 if dtype == "int8" else 37]
        image = np.repeat(every.reshape(1, 1, -1, 1), 64, axis=1)
        yield Case("prelu", (image,), (first,), second, _write_prelu, weight=weight)


def resized(mode: str, dtype: str, aligned: bool = False) -> Iterator[Case]:
    """Images of few values, whose means lie on ties, among random ones."""
    for i, (before, after) in enumerate(SIZES):
        for zero in (3, -128) if dtype == "int8" else (0,):
            on = On(0.05 * FINER[dtype], zero, dtype)
            samples = min(16, 2 + PLANES // (12 * after[0] * after[1]))
            operand = images(dtype, (samples, 12, *before), i)
            attributes = {
                "size": after,
                "factor": None,
                "mode": mode,
                "align_corners": aligned,
                "recompute": False,
            }
            yield Case("upsample", (operand,), (on,), on, _write_resize, attributes)


def _every(dtype: str) -> np.ndarray:
    limits = np.iinfo(dtype)
    return np.arange(limits.min, limits.max + 1).reshape(-1, 256).astype(dtype)


def _write_div(graph: IntegerGraph, case: Case) -> bytes:
    sources = [
        on.value(shape_last(x.shape)) for on, x in zip(case.sources, case.operands, strict=True)
    ]
    target = case.target.value(shape_last(node_of(graph).output.shape))
    fused = {None: 0, "relu": 1, "relu6": 3}[case.activation]
    return model("DIV", sources, [target], "Div", 2, fusedActivationFunction=fused)


def _write_prelu(graph: IntegerGraph, case: Case) -> bytes:
    node = node_of(graph)
    assert case.weight is not None, "a prelu has fractions"
    step = np.float32(np.abs(case.weight).max() / 127)
    fractions = np.rint(case.weight / step).astype(np.int8)
    assert np.array_equal(fractions, graph.constants[node.constants["weight"]])
    alpha = constant(fractions.reshape(1, 1, -1), step)
    source = case.sources[0].value(shape_last(case.operands[0].shape))
    return model("PRELU", [source, alpha], [case.target.value(shape_last(node.output.shape))])


def _write_resize(graph: IntegerGraph, case: Case) -> bytes:
    a = case.attributes
    nearest = a["mode"] != "bilinear"
    name = "RESIZE_NEAREST_NEIGHBOR" if nearest else "RESIZE_BILINEAR"
    half = a["mode"] == "nearest-exact" or (not nearest and not a["align_corners"])
    return writer(
        name,
        "ResizeNearestNeighbor" if nearest else "ResizeBilinear",
        3 if half else 2,
        behind=(ints(*a["size"]),),
        alignCorners=a["align_corners"],
        halfPixelCenters=half,
    )(graph, case)
