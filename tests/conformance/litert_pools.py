"""Pools and means: random images, and images of few values, whose sums lie on ties."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, On, node_of, shape_last
from tests.conformance.tflite_writer import constant, model

ZEROS = {"int8": ((3, 5), (-7, -128), (0, 0)), "int16": ((0, 0),)}
FINER = {"int8": 1.0, "int16": 1 / 256}


def images(dtype: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Half of them random, half of them nearly constant."""
    random = np.random.default_rng(seed)
    limits = np.iinfo(dtype)
    values = random.integers(limits.min, limits.max + 1, shape)
    half = shape[0] // 2
    level = random.integers(limits.min + 4, limits.max - 4, (half, shape[1], 1, 1))
    values[:half] = level + random.integers(-2, 3, (half, *shape[1:]))
    return values.astype(dtype)


def average_cases(dtype: str) -> Iterator[Case]:
    for i, (kernel, stride) in enumerate((((2, 2), (2, 2)), ((3, 3), (1, 2)), ((5, 4), (3, 3)))):
        for zeros in ZEROS[dtype]:
            on = On(0.05 * FINER[dtype], zeros[0], dtype)
            attributes = {"kernel": kernel, "stride": stride, "padding": (0, 0, 0, 0)}
            operand = images(dtype, (24 // len(ZEROS[dtype]), 32, 23, 21), i)
            activation = "relu" if i == 2 else None
            yield Case(
                "avg_pool2d", (operand,), (on,), on, write_pool, attributes, activation=activation
            )


def max_cases(dtype: str) -> Iterator[Case]:
    for i, (kernel, stride) in enumerate((((2, 2), (2, 2)), ((3, 3), (1, 2)))):
        on = On(0.05 * FINER[dtype], ZEROS[dtype][0][0], dtype)
        attributes = {
            "kernel": kernel,
            "stride": stride,
            "padding": (0, 0, 0, 0),
            "dilation": (1, 1),
            "ceil": False,
        }
        operand = images(dtype, (16, 32, 23, 21), i)
        yield Case("max_pool2d", (operand,), (on,), on, write_pool, attributes)


def image_mean_cases(dtype: str) -> Iterator[Case]:
    """Means of whole images; of 16 and 64 values with powers of two as scales, half are ties."""
    for i, (rows, columns, first, second) in enumerate(
        ((4, 4, 0.25, 0.125), (8, 8, 0.25, 0.25), (5, 7, 0.05, 0.031), (7, 7, 0.017, 0.0071))
    ):
        for zeros in ZEROS[dtype]:
            source, target = (
                On(s * FINER[dtype], z, dtype) for s, z in zip((first, second), zeros, strict=True)
            )
            operand = images(dtype, (300 // len(ZEROS[dtype]), 128, rows, columns), i)
            yield Case("adaptive_avg_pool2d", (operand,), (source,), target, write_mean)


def mean_cases(dtype: str) -> Iterator[Case]:
    """Means along the last axis or the one behind the batch, kept or not."""
    for i, (shape, dims, keepdim) in enumerate(
        (((450, 50, 16), (2,), False), ((450, 16, 64), (1,), True), ((450, 20, 35), (2,), True))
    ):
        for first, second in ((0.25, 0.125), (0.05, 0.031), (0.017, 0.0071)):
            for zeros in ZEROS[dtype]:
                source, target = (
                    On(s * FINER[dtype], z, dtype)
                    for s, z in zip((first, second), zeros, strict=True)
                )
                samples = shape[0] // len(ZEROS[dtype])
                operand = images(dtype, (samples, *shape[1:], 1), i)[..., 0]
                attributes = {"dims": dims, "keepdim": keepdim}
                yield Case("mean", (operand,), (source,), target, write_mean, attributes)


def write_pool(graph: IntegerGraph, case: Case) -> bytes:
    a = case.attributes
    name = {"avg_pool2d": "AVERAGE_POOL_2D", "max_pool2d": "MAX_POOL_2D"}[case.op]
    return model(
        name,
        [case.sources[0].value(shape_last(case.operands[0].shape))],
        [case.target.value(shape_last(node_of(graph).output.shape))],
        "Pool2D",
        3,
        filterHeight=a["kernel"][0],
        filterWidth=a["kernel"][1],
        strideH=a["stride"][0],
        strideW=a["stride"][1],
        padding=1,
        fusedActivationFunction={None: 0, "relu": 1}[case.activation],
    )


def write_mean(graph: IntegerGraph, case: Case) -> bytes:
    return model(
        "MEAN",
        [
            case.sources[0].value(shape_last(case.operands[0].shape)),
            constant(np.array(case.attributes.get("dims", (1, 2)), np.int32)),
        ],
        [case.target.value(shape_last(node_of(graph).output.shape))],
        "Reducer",
        2,
        keepDims=case.attributes.get("keepdim", True),
    )
