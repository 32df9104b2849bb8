"""One operator on both sides: a lowered graph of a profile, and the same model for LiteRT."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.graph import IntegerGraph, Node
from qflow.emulation.lowering import lower
from qflow.emulation.runtimes import numpy as oracle
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode
from tests.conformance.litert_runtime import run
from tests.conformance.table import Row
from tests.conformance.tflite_writer import Value
from tests.emulation.build import march

NHWC, NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


@dataclass(frozen=True)
class On:
    """A grid of one scale."""

    scale: float
    zero_point: int = 0
    dtype: str = "int8"

    @property
    def grid(self) -> Grid:
        return Grid(DTYPES[self.dtype], np.array([self.scale], np.float32), self.zero_point, None)

    def value(self, shape: tuple[int, ...]) -> Value:
        return Value(self.dtype, shape, np.float32(self.scale), self.zero_point)


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
    """Integers."""
    weight_scale: np.ndarray | None = None
    bias: np.ndarray | None = None
    """Integers on the accumulator's scale."""
    activation: str | None = None
    weight_axis: int = 0
    """Of the output channels."""

    @property
    def images(self) -> bool:
        return self.operands[0].ndim == 4


def graph_of(case: Case, profile: str) -> IntegerGraph:
    """The case lowered for a profile."""
    nodes: list[PreparedNode] = []
    for i, (operand, on) in enumerate(zip(case.operands, case.sources, strict=True)):
        nodes.append(PreparedNode(f"x{i}", f"x{i}", "input", (), shape=operand.shape))
        nodes.append(
            PreparedNode(
                f"q{i}",
                f"q{i}",
                "quant",
                (f"x{i}",),
                grid=on.grid,
                out_dtype=on.dtype,
                shape=operand.shape,
            )
        )
    names = tuple(f"q{i}" for i in range(len(case.operands)))
    made = PreparedNode(
        "op",
        "op",
        case.op,
        names,
        case.attributes,
        activation=case.activation,
        grid=case.target.grid,
        out_dtype=case.target.dtype,
    )
    if case.weight is not None:
        assert case.weight_scale is not None, "weights need a scale"
        axis = None if case.weight_scale.size == 1 else case.weight_axis
        view = tuple(-1 if i == case.weight_axis else 1 for i in range(case.weight.ndim))
        real = case.weight * case.weight_scale.reshape(view).astype(np.float32)
        step = np.float64(np.float32(case.sources[0].scale)) * case.weight_scale.astype(np.float64)
        bias = case.bias if case.bias is not None else np.zeros(case.weight.shape[case.weight_axis])
        made = replace(
            made,
            weight=real.astype(np.float32),
            weight_grid=Grid(DTYPES["int8"], case.weight_scale.astype(np.float32), 0, axis),
            bias=bias * step,
        )
    nodes += [made, PreparedNode("d", "d", "dequant", ("op",), out_dtype="float32")]
    prepared = PreparedGraph(
        tuple(nodes), tuple(f"x{i}" for i in range(len(case.operands))), (("y", "d"),)
    )
    return lower(prepared, march(), profile).graph


def compare(case: Case, profile: str) -> tuple[int, int, bool]:
    """Integers compared, how many of the oracle or the fast path differ, and whether XNNPACK ran."""
    import torch

    from qflow.emulation.runtimes.torch import TorchRuntime

    graph = graph_of(case, profile)
    real = {
        f"x{i}": ((q.astype(np.int64) - on.zero_point) * np.float32(on.scale)).astype(np.float32)
        for i, (q, on) in enumerate(zip(case.operands, case.sources, strict=True))
    }
    slow = oracle.run(graph, real, ["op"])["op"]
    quick = TorchRuntime(graph).run({k: torch.from_numpy(v) for k, v in real.items()}, ["op"])
    given = [channels_last(x) for x in case.operands]
    answer = run(case.write(graph, case), profile, *given)
    theirs = answer.values.astype(np.int64)
    theirs = theirs.transpose(NCHW) if slow.ndim == 4 else theirs.reshape(slow.shape)
    wrong = max(
        np.count_nonzero(slow.astype(np.int64) != theirs),
        np.count_nonzero(quick["op"].numpy().astype(np.int64) != theirs),
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


def node_of(graph: IntegerGraph) -> Node:
    return graph.by_id["op"]


def shape_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape of an image, channels last."""
    return tuple(shape[d] for d in NHWC) if len(shape) == 4 else tuple(shape)


def _version(package: Any) -> str:
    return str(package.__version__)
