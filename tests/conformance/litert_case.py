"""One operator on both sides: a lowered graph of a profile, and the same model for LiteRT."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.graph import IntegerGraph, Node
from qflow.emulation.runtimes import numpy as oracle
from qflow.quantization.prepared import Grid
from tests.conformance.litert_graph import OPERATOR, graph_of, reals_of
from tests.conformance.litert_runtime import run
from tests.conformance.table import Row
from tests.conformance.tflite_writer import Value

__all__ = ["Case", "On", "channels_last", "compare", "graph_of", "node_of", "row", "shape_last"]

NHWC, NCHW = (0, 2, 3, 1), (0, 3, 1, 2)
WHOLE = {"index": "int32", "mask": "bool"}
"""Kinds of values that lie on no grid, and what holds them in LiteRT."""


@dataclass(frozen=True)
class On:
    """A grid of one scale; of `index` and `mask` there is none."""

    scale: float
    zero_point: int = 0
    dtype: str = "int8"

    @property
    def whole(self) -> bool:
        return self.dtype in WHOLE

    @property
    def grid(self) -> Grid:
        return Grid(DTYPES[self.dtype], np.array([self.scale], np.float32), self.zero_point, None)

    def value(self, shape: tuple[int, ...]) -> Value:
        if self.whole:
            return Value(WHOLE[self.dtype], shape)
        return Value(self.dtype, shape, np.float32(self.scale), self.zero_point)


INDEX, MASK = On(1.0, dtype="index"), On(1.0, dtype="mask")


@dataclass(frozen=True)
class Case:
    """An operator with its operands, integers in the order of qflow: images are NCHW."""

    op: str
    operands: tuple[np.ndarray, ...]
    sources: tuple[On, ...]
    target: On
    write: Callable[[IntegerGraph, Case], bytes]
    """The model for LiteRT, images NHWC."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    weight: np.ndarray | None = None
    """Integers; floats where there is no scale."""
    weight_scale: np.ndarray | None = None
    bias: np.ndarray | None = None
    """Integers on the accumulator's scale."""
    activation: str | None = None
    weight_axis: int = 0
    """Of the output channels."""
    residual: bool = False
    """The last operand is added to the accumulator."""
    part: int | None = None
    """Which tensor of a result that is several."""
    places: bool = False
    """Whether what is compared are places: whole numbers on no grid."""
    to_model: Callable[[np.ndarray], np.ndarray] | None = None
    """How LiteRT sees an operand; None: images with channels last."""
    from_model: Callable[[np.ndarray], np.ndarray] | None = None
    """Its way back, of the result."""

    @property
    def images(self) -> bool:
        return self.operands[0].ndim == 4

    @property
    def id(self) -> str:
        """Of the node that is compared."""
        return OPERATOR if self.part is None else f"{OPERATOR}:{self.part}"


def compare(case: Case, profile: str) -> tuple[int, int, bool]:
    """Integers compared, how many of the oracle or the fast path differ, and whether XNNPACK ran."""
    import torch

    from qflow.emulation.runtimes.torch import TorchRuntime

    graph, real = graph_of(case, profile), reals_of(case)
    slow = oracle.run(graph, real, [case.id])[case.id]
    quick = TorchRuntime(graph).run({k: torch.from_numpy(v) for k, v in real.items()}, [case.id])
    given = [(case.to_model or channels_last)(x) for x in case.operands]
    answer = run(case.write(graph, case), profile, *given, output=case.part or 0)
    theirs = answer.values.astype(np.int64)
    if case.from_model is not None:
        theirs = case.from_model(theirs)
    else:
        theirs = theirs.transpose(NCHW) if slow.ndim == 4 else theirs.reshape(slow.shape)
    assert theirs.shape == slow.shape, f"{case.op}: {theirs.shape} is not {slow.shape}"
    wrong = max(
        np.count_nonzero(slow.astype(np.int64) != theirs),
        np.count_nonzero(quick[case.id].numpy().astype(np.int64) != theirs),
    )
    return theirs.size, int(wrong), answer.delegated


def row(profile: str, operator: str, cases: Iterable[Case]) -> Row:
    """All cases of one operator under one profile."""
    import ai_edge_litert

    compared = mismatches = 0
    taken = False
    for case in cases:
        size, wrong, delegated = compare(case, profile)
        compared, mismatches, taken = compared + size, mismatches + wrong, taken or delegated
    by = {"tflite.reference": "reference kernels", "tflite.builtin": "built-in kernels"}
    runtime = by.get(profile, "XNNPACK" if taken else "built-in kernels behind XNNPACK")
    return Row(
        profile, operator, f"LiteRT, {runtime}", _version(ai_edge_litert), compared, mismatches
    )


def channels_last(values: np.ndarray) -> np.ndarray:
    """Images as TFLite has them; other tensors as they are."""
    return np.ascontiguousarray(values.transpose(NHWC)) if values.ndim == 4 else values


def node_of(graph: IntegerGraph, case: Case | None = None) -> Node:
    """The operator, or the part of it that the case compares."""
    return graph.by_id[OPERATOR if case is None else case.id]


def shape_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape of an image, channels last."""
    return tuple(shape[d] for d in NHWC) if len(shape) == 4 else tuple(shape)


def _version(package: Any) -> str:
    return str(package.__version__)
