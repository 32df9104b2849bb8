"""The oracle: an integer graph in NumPy alone, int64 throughout, nothing fast in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from qflow.emulation import sizes
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.op import Call
from qflow.emulation.runtimes._calls import (
    TO_NCHW,
    TO_NHWC,
    calls,
    given,
    last_uses,
    operands_of,
    runs_as_nhwc,
    to_run,
)
from qflow.emulation.runtimes._integers import as_qtensor, sources_of_outputs


def run(
    graph: IntegerGraph, inputs: Mapping[str, Any], keep: Collection[str] = ()
) -> dict[str, np.ndarray]:
    """Every output by its name, float32 (whole numbers int32), and every node of `keep` by its id,
    in its own dtype.

    `inputs` are by input name, float32 arrays or a QTensor on the input's grid, of any batch size.
    An output goes before a node of its name: `run_keeping` tells them apart. Raises QflowError:
    QF313 for an input that does not fit, QF403 for NaN; KeyError for an id the graph does not have.
    """
    outputs, kept = run_keeping(graph, inputs, keep)
    return kept | outputs


def run_batches(
    graph: IntegerGraph,
    batches: Iterable[Mapping[str, Any]],
    keep: Collection[str] = (),
) -> Iterator[dict[str, np.ndarray]]:
    """`run` for one batch after the other; never more than one of them is held."""
    for inputs in batches:
        yield run(graph, inputs, keep)


def run_quantized(graph: IntegerGraph, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """As `run`, each output a QTensor: the integers its dequantize reads, accumulators too.

    What lies on no grid, whole numbers and floats, comes as an array.
    """
    sources = sources_of_outputs(graph)
    _, kept = run_keeping(graph, inputs, tuple(set(sources.values())))
    return {k: as_qtensor(kept[i], graph.by_id[i].output) for k, i in sources.items()}


def run_keeping(
    graph: IntegerGraph, inputs: Mapping[str, Any], keep: Collection[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """As `run`, the outputs and the kept nodes apart."""
    graph = sizes.at(graph, {k: tuple(v.shape) for k, v in inputs.items()})
    free = last_uses(graph, keep)
    values = {k: np.asarray(v) for k, v in given(graph, inputs).items()}
    with np.errstate(over="ignore"):  # floats beyond float32 are infinite, here as in torch
        for call in calls(graph):
            node = call.node
            if to_run(node, values):
                values[node.id] = _run_one(call, operands_of(node, values))
            for source in free[node.id]:
                values.pop(source, None)  # an input that was given as integers is not there

    def result(id_: str) -> np.ndarray:
        return values[id_].astype(graph.by_id[id_].output.dtype)

    outputs = {name: result(source) for name, source in graph.outputs}
    return outputs, {k: result(k) for k in keep}


def _run_one(call: Call, operands: list[np.ndarray]) -> np.ndarray:
    operator = call.operator
    if not runs_as_nhwc(call):
        return operator.oracle(call, *operands)
    return operator.oracle(call, *[x.transpose(TO_NCHW) for x in operands]).transpose(TO_NHWC)
