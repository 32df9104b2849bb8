"""Sums, products, rectifiers and requantization: every pair of int8, or pairs near ties of int16."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, On, node_of, shape_last
from tests.conformance.tflite_writer import model

TRIPLES = (
    *((0.25, 0.125, 0.5), (0.011, 0.37, 0.4), (0.05, 0.03, 0.07), (0.5, 0.5, 1.0)),
    *((0.05, 0.06, 0.08), (0.07, 0.02, 0.06)),
)
"""Scales of both operands and of the result; of the first and fourth half the results are ties, of
the last two sums come so near to ties that the rounding of an operand decides them."""
PRODUCTS = ((0.25, 0.125, 0.5), (0.05, 0.03, 0.17), (0.0371, 0.0213, 0.0113))
ZEROS = {"int8": (3, -7, 5), "int16": (0, 0, 0)}
FINER = {"int8": 1.0, "int16": 1 / 256}
FUSED = {None: 0, "relu": 1, "relu6": 3}
OPERATORS = {
    "add": ("ADD", "Add", 2),
    "sub": ("SUB", "Sub", 2),
    "mul": ("MUL", "Mul", 2),
    "relu": ("RELU", "", 2),
    "relu6": ("RELU6", "", 2),
    "identity": ("QUANTIZE", "Quantize", 2),
    "leaky_relu": ("LEAKY_RELU", "LeakyRelu", 2),
    "abs": ("ABS", "Abs", 2),
}
"""Per operator of qflow that of TFLite, its options and its version."""
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "add": {"potScaleInt16": False},
    "sub": {"potScaleInt16": False},
}


def pairs(dtype: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of int8; as many of int16, half of them small."""
    if dtype == "int8":
        left, right = np.meshgrid(np.arange(-128, 128), np.arange(-128, 128))
        return left.astype(dtype), right.astype(dtype)
    random = np.random.default_rng(seed)
    wide = random.integers(-32768, 32768, (2, 128, 256))
    small = random.integers(-500, 500, (2, 128, 256))
    left, right = np.concatenate([wide, small], axis=1).astype(dtype)
    return left, right


def binary_cases(op: str, dtype: str) -> Iterator[Case]:
    scales = PRODUCTS if op == "mul" else TRIPLES
    for i, triple in enumerate(scales):
        first, second, target = (
            On(s * FINER[dtype], z, dtype) for s, z in zip(triple, ZEROS[dtype], strict=True)
        )
        activation = (None, "relu", "relu6", None, None, None)[i]
        yield Case(op, pairs(dtype, i), (first, second), target, write, activation=activation)


def unary_cases(op: str, dtype: str, attributes: Mapping[str, Any] | None = None) -> Iterator[Case]:
    """Every value, from and to many grids; every other pair of scales are powers of two."""
    random = np.random.default_rng(5)
    limits = np.iinfo(dtype)
    values = np.arange(limits.min, limits.max + 1).reshape(-1, 256).astype(dtype)
    for i in range(400 if dtype == "int8" else 6):
        source, target = 0.05, 0.05 * 2 ** random.uniform(-1.5, 1.5)
        if i % 2:
            source, target = 2.0**-5, 2.0 ** -random.integers(2, 8)
        source, target = source * FINER[dtype], target * FINER[dtype]
        zeros = ZEROS[dtype]
        yield Case(
            op,
            (values,),
            (On(source, zeros[0], dtype),),
            On(target, zeros[2], dtype),
            write,
            attributes or {},
        )


def write(graph: IntegerGraph, case: Case) -> bytes:
    name, options, version = OPERATORS[case.op]
    settings = dict(OPTIONS.get(case.op, {}))
    if len(case.operands) == 2:
        settings["fusedActivationFunction"] = FUSED[case.activation]
    if case.op == "leaky_relu":
        settings["alpha"] = case.attributes["negative_slope"]
    sources = [
        on.value(shape_last(x.shape)) for on, x in zip(case.sources, case.operands, strict=True)
    ]
    target = case.target.value(shape_last(node_of(graph).output.shape))
    return model(name, sources, [target], options, version, **settings)
