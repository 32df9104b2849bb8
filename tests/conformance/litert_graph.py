"""A case as a lowered graph: inputs, what brings them onto grids, one operator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode
from tests.emulation.build import march

if TYPE_CHECKING:
    from tests.conformance.litert_case import Case, On

OPERATOR = "op"
"""Its id; a part of its result is called `op:0`."""


def graph_of(case: Case, profile: str) -> IntegerGraph:
    """The case lowered for a profile; its one output is the operator's."""
    nodes: list[PreparedNode] = []
    for i, (operand, on) in enumerate(zip(case.operands, case.sources, strict=True)):
        nodes += _operand(i, operand, on)
    names = tuple(f"x{i}" if on.whole else f"q{i}" for i, on in enumerate(case.sources))
    made = PreparedNode(
        OPERATOR,
        OPERATOR,
        case.op,
        names,
        case.attributes,
        activation=case.activation,
        residual=case.residual,
        grid=case.target.grid,
        out_dtype=case.target.dtype,
    )
    nodes.append(_with_weight(made, case))
    inputs = tuple(f"x{i}" for i in range(len(case.operands)))
    if case.places:
        return _lowered(PreparedGraph(tuple(nodes), inputs, (("y", case.id),)), profile)
    nodes.append(PreparedNode("d", "d", "dequant", (case.id,), out_dtype="float32"))
    return _lowered(PreparedGraph(tuple(nodes), inputs, (("y", "d"),)), profile)


def reals_of(case: Case) -> dict[str, np.ndarray]:
    """What the graph's inputs are given: whole numbers, or the reals that the integers stand for."""
    return {
        f"x{i}": q
        if on.whole
        else ((q.astype(np.int64) - on.zero_point) * np.float32(on.scale)).astype(np.float32)
        for i, (q, on) in enumerate(zip(case.operands, case.sources, strict=True))
    }


def _lowered(prepared: PreparedGraph, profile: str) -> IntegerGraph:
    return lower(prepared, march(), profile).graph


def _operand(i: int, operand: np.ndarray, on: On) -> list[PreparedNode]:
    if on.whole:
        return [PreparedNode(f"x{i}", f"x{i}", "input", (), out_dtype="index", shape=operand.shape)]
    given = PreparedNode(f"x{i}", f"x{i}", "input", (), shape=operand.shape)
    quant = replace(given, id=f"q{i}", address=f"q{i}", op="quant", inputs=(f"x{i}",))
    return [given, replace(quant, grid=on.grid, out_dtype=on.dtype)]


def _with_weight(node: PreparedNode, case: Case) -> PreparedNode:
    if case.weight is None:
        return node
    if case.weight_scale is None:
        return replace(node, weight=case.weight.astype(np.float32))
    axis = None if case.weight_scale.size == 1 else case.weight_axis
    view = tuple(-1 if i == case.weight_axis else 1 for i in range(case.weight.ndim))
    real = case.weight * case.weight_scale.reshape(view).astype(np.float32)
    step = np.float64(np.float32(case.sources[0].scale)) * case.weight_scale.astype(np.float64)
    bias = case.bias if case.bias is not None else np.zeros(case.weight.shape[case.weight_axis])
    return replace(
        node,
        weight=real.astype(np.float32),
        weight_grid=Grid(DTYPES["int8"], case.weight_scale.astype(np.float32), 0, axis),
        bias=bias * step,
    )
