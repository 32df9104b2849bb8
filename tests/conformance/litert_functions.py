"""Functions of one value: every input of a grid, from and to many grids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, On, node_of, shape_last
from tests.conformance.tflite_writer import model

OPERATORS = {
    "exp": ("EXP", "Exp", 2),
    "log": ("LOG", "", 2),
    "rsqrt": ("RSQRT", "", 2),
    "sqrt": ("SQRT", "", 2),
    "gelu": ("GELU", "Gelu", 2),
    "elu": ("ELU", "", 1),
    "sigmoid": ("LOGISTIC", "", 3),
    "tanh": ("TANH", "", 3),
    "hard_swish": ("HARD_SWISH", "", 1),
}
OWN_GRIDS = {
    ("sigmoid", "int8"): (2.0**-8, -128),
    ("tanh", "int8"): (2.0**-7, 0),
    ("sigmoid", "int16"): (2.0**-15, 0),
    ("tanh", "int16"): (2.0**-15, 0),
}
LEAST = {("log", "int8"): 1, ("log", "int16"): 128, ("rsqrt", "int8"): 0, ("rsqrt", "int16"): 0}
LEAST |= {("sqrt", "int8"): 0, ("sqrt", "int16"): 0}
"""LiteRT refuses what is below 0; in its first segment a table of int16 reads the entry of log(0)."""


def cases(op: str, dtype: str, attributes: Mapping[str, Any] | None = None) -> Iterator[Case]:
    random = np.random.default_rng(11)
    limits = np.iinfo(dtype)
    finer = 1 if dtype == "int8" else 2.0**-8
    for i in range(400 if dtype == "int8" else 10):
        zeros = random.integers(-128, 128, 2) if dtype == "int8" else (0, 0)
        source = random.uniform(0.002, 0.06) if i % 2 else 2.0 ** -random.integers(3, 8)
        target = random.uniform(0.01, 0.05)
        values = np.arange(limits.min, limits.max + 1)
        if (op, dtype) in LEAST:
            zeros = (-128, zeros[1]) if dtype == "int8" else zeros
            values = np.maximum(values, zeros[0] + LEAST[op, dtype])
        own = OWN_GRIDS.get((op, dtype), (target * finer, int(zeros[1])))
        yield Case(
            op,
            (values.reshape(-1, 256).astype(dtype),),
            (On(source * finer, int(zeros[0]), dtype),),
            On(own[0], own[1], dtype),
            write,
            attributes or {},
        )


def write(graph: IntegerGraph, case: Case) -> bytes:
    name, options, version = OPERATORS[case.op]
    source = case.sources[0].value(shape_last(case.operands[0].shape))
    target = case.target.value(shape_last(node_of(graph).output.shape))
    settings = (
        {"approximate": case.attributes["approximate"] == "tanh"} if case.op == "gelu" else {}
    )
    return model(name, [source], [target], options, version, **settings)


def softmax_cases(dtype: str) -> Iterator[Case]:
    """Rows of many lengths, from scales that let everything count to scales that let one count."""
    random = np.random.default_rng(12)
    limits = np.iinfo(dtype)
    finer = 1 if dtype == "int8" else 2.0**-8
    step, zero = (2.0**-8, -128) if dtype == "int8" else (2.0**-15, 0)
    for i, length in enumerate((2, 3, 10, 32, 100, 257, 1000)):
        # LiteRT aborts where the exponents of a row come to 512 and more
        for source in (0.004, 0.03, 2.0**-4, 0.25)[2 if length > 500 else 0 :]:
            span = (limits.max - limits.min) >> (i % 3)
            operand = random.integers(0, span + 1, (6000 // length + 1, length)) + limits.min
            on = On(source * finer, -9 if dtype == "int8" else 0, dtype)
            target = On(step, zero, dtype)
            yield Case(
                "softmax", (operand.astype(dtype),), (on,), target, write_softmax, {"dim": -1}
            )


def write_softmax(graph: IntegerGraph, case: Case) -> bytes:
    shape = case.operands[0].shape
    source, target = case.sources[0].value(shape), case.target.value(shape)
    return model("SOFTMAX", [source], [target], "Softmax", 3, beta=1.0)
