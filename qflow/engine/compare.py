"""compare: lanes of a finished model in lock step, and the first tensor in which they part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import fx

from qflow import registry
from qflow.analysis.causes import Case, Explanation, explain
from qflow.analysis.divergence import Comparison, Row, Tensor
from qflow.diagnostics import Diagnostic, fail
from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph, Node
from qflow.emulation.lowering import lower
from qflow.emulation.op import op
from qflow.engine import colour, prepared, tensors
from qflow.engine.data import DataSet
from qflow.engine.lanes import exported
from qflow.engine.work import CONVERT, LOGICAL, Work, judged_on, last_state
from qflow.quantization import record
from qflow.quantization.prepared import PreparedGraph, PreparedNode

RUNTIMES = {"onnxruntime": "export.onnx"}
"""What people call the runtime of an exported file."""
COMPARE = "compare"
MODELS = ("float", "fake_quant")
"""Lanes that take the model's own inputs; all others take what the finished model does."""
ACCUMULATOR = "int32"
HALF_RANGE = 1 << 15


@dataclass(frozen=True)
class Lanes:
    """What can be compared, and what explains it."""

    by_name: Mapping[str, tensors.Lane]
    graph: IntegerGraph
    recorded: PreparedGraph
    known: str = ""
    """Which lanes there are, for people."""


def open_lanes(work: Work, names: Sequence[str]) -> Lanes:
    """The named lanes of a run whose stages are done, to be compared.

    Raises QflowError as `lanes_of`, and QF530 for less than two.
    """
    lanes = lanes_of(work, names)
    if len({RUNTIMES.get(name, name) for name in names}) < 2:
        raise fail(
            Diagnostic("QF530", "one lane has nothing to be compared with", help=lanes.known)
        )
    return lanes


def lanes_of(work: Work, names: Sequence[str]) -> Lanes:
    """The named lanes of a run whose stages are done.

    Raises QflowError: QF530 for a lane there is not, QF405 for an export whose runtime is not
    installed.
    """
    module = prepared.load(work, last_state(work.plan))
    prepared.set_all(module, work, "validation")
    deployed = colour.deployed(module, work)
    graph = file.load(work.made[CONVERT].folder / LOGICAL)
    targets = [e.target for e in work.plan.exports]
    makers = {
        "float": lambda: tensors.of_model(work.model.traced.module, _lasts(work), work),
        "fake_quant": lambda: tensors.of_model(module, {}, work),
        "integer": lambda: tensors.of_integers(graph),
        "oracle": lambda: tensors.of_oracle(graph),
        **{f"export.{t}": partial(_export, work, t, graph) for t in targets},
        **{f"emulator@export.{t}": partial(_emulated, work, t, deployed) for t in targets},
    }
    wanted = [RUNTIMES.get(name, name) for name in names]
    if unknown := [n for n, w in zip(names, wanted, strict=True) if w not in makers]:
        raise _no_lane(unknown[0], tuple(makers))
    lanes = {name: makers[w]() for name, w in zip(names, wanted, strict=True)}
    return Lanes(lanes, graph, record(deployed), _listed(makers))


def compare(work: Work, names: Sequence[str], samples: DataSet) -> tuple[Comparison, ...]:
    """Every lane against the one named before it, over the samples.

    Raises QflowError as `open_lanes`.
    """
    lanes = open_lanes(work, names)
    pairs = tuple(Comparison(pair) for pair in pairwise(lanes.by_name))
    with work.console.progress(COMPARE, len(samples), "samples") as step:
        for batch in samples.batches():
            given = colour.camera(batch.inputs, work)
            found = {
                name: lane(batch.inputs if name in MODELS else given)
                for name, lane in lanes.by_name.items()
            }
            for pair in pairs:
                _update(pair, lanes, found)
            step.advance(len(batch))
    return pairs


def _update(pair: Comparison, lanes: Lanes, found: Mapping[str, tensors.Found]) -> None:
    first, second = (found[name] for name in pair.lanes)
    fresh = {row.address for row in pair.rows.values() if not row.equal}
    parted: set[str] = set()
    for node in lanes.graph.nodes:
        if node.output.scale is None:
            continue
        if (ours := first.get(node.id)) is None or (theirs := second.get(node.id)) is None:
            continue
        row = pair.rows.setdefault(node.id, Row(node.id, node.op))
        scale = _step(node, ours, theirs)
        differ = row.update(ours.values, theirs.values, scale)
        if not differ.any():
            continue
        agreed = not any(source in parted for source in node.inputs)
        parted.add(node.id)
        if agreed and node.id not in fresh:
            row.cause = _cause(node, lanes, pair.lanes, (ours, theirs), first, differ)
    held = tensors.held(lanes.graph)
    pair.only = {
        name: tuple(k for k in mine if k not in other and k in held)
        for name, mine, other in ((pair.lanes[0], first, second), (pair.lanes[1], second, first))
    }


def _step(node: Node, ours: Tensor, theirs: Tensor) -> np.ndarray:
    """One step of the tensor; of an accumulator a 32,768th of its largest value."""
    given = theirs.scale if theirs.scale is not None else ours.scale
    if node.output.dtype == ACCUMULATOR or given is None:
        size = max(float(np.abs(theirs.values).max(initial=0.0)), np.finfo(np.float32).tiny)
        grid = tensors.real(np.zeros((1,) * ours.values.ndim), node.output).scale
        return np.asarray(size / HALF_RANGE if node.output.dtype == ACCUMULATOR else grid)
    return given


def _cause(
    node: Node,
    lanes: Lanes,
    names: tuple[str, str],
    both: tuple[Tensor, Tensor],
    found: tensors.Found,
    differ: np.ndarray,
) -> Explanation | None:
    """Why the operator parts them; None for a node that a pass inserted."""
    prepared_node = {n.id: n for n in lanes.recorded.nodes}.get(node.id)
    if prepared_node is None or not all(i in found for i in node.inputs):
        return None
    grid = tensors.real(np.zeros((1,) * differ.ndim), node.output).scale
    assert grid is not None, "a tensor on a grid has a scale"
    operands = [found[i].values for i in node.inputs]
    exact, unbiased, summed = _exact(prepared_node, node, lanes.graph, operands)
    zero = node.output.zero_point
    wide = np.broadcast_to(grid, differ.shape)[differ]
    ours, theirs = (t.values[differ] / wide + zero for t in both)
    scales = [t.scale for t in both if t.scale is not None]
    return explain(
        Case(
            node=node,
            prepared=prepared_node,
            lanes=names,
            ours=ours,
            theirs=theirs,
            exact=exact[differ] / wide + zero,
            bias_error=(exact - unbiased)[differ] / wide,
            accumulator=summed[differ] if summed.size else summed,
            same_scale=all(np.array_equal(s, scales[0]) for s in scales),
        )
    )


def _exact(
    prepared_node: PreparedNode, node: Node, graph: IntegerGraph, operands: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The output in float64 with the graph's parameters, with the float bias, and the sum."""
    constants = {role: graph.constants[key] for role, key in node.constants.items()}
    plain = prepared_node
    source = graph.by_id[node.inputs[0]].output if node.inputs else None
    if "weight_scale" not in constants or source is None or source.scale is None:
        exact = _meaning(plain, operands)
        return exact, exact, np.empty(0)
    axis = op(plain.op).weight_axis or 0
    steps = constants["weight_scale"].astype(np.float64)
    view = [1] * constants["weight"].ndim
    view[axis] = -1
    step = source.scale.astype(np.float64) * steps
    weight = constants["weight"].astype(np.float64) * steps.reshape(view)
    rounded = replace(plain, weight=weight, bias=constants["bias"].astype(np.float64) * step)
    exact = _meaning(rounded, operands)
    bias = np.zeros_like(step) if plain.bias is None else plain.bias.astype(np.float64)
    unbiased = _meaning(replace(rounded, bias=bias), operands)
    channels = [1] * exact.ndim
    channels[1 if plain.op != "linear" else -1] = -1
    return exact, unbiased, exact / step.reshape(channels)


def _meaning(node: PreparedNode, operands: list[np.ndarray]) -> np.ndarray:
    """In float64, before the activation: clamping is the integers' own."""
    values = [torch.from_numpy(np.ascontiguousarray(x)) for x in operands]
    added = values.pop() if node.residual else None
    operator = op(node.op)
    # what only brings floats onto a grid computes nothing
    result: Any = values[0] if operator.role == "boundary" else operator.meaning(node, *values)
    if added is not None:
        result = result + added
    found: np.ndarray = result.detach().numpy()
    return found


def _lasts(work: Work) -> dict[str, str]:
    """Address of a fusion to its last member, whose output the float model has."""
    order = {m.address: i for i, m in enumerate(work.inventory.modules)}
    found: dict[str, str] = {}
    for module in work.plan.modules:
        if (home := module.absorbed_by) is not None:
            before = found.get(home, home)
            found[home] = max(before, module.address, key=lambda a: order.get(a, -1))
    return found


def _export(work: Work, target: str, graph: IntegerGraph) -> tensors.Lane:
    chosen = next(e for e in exported(work) if e.lane == f"export.{target}")
    return tensors.of_export(chosen.runnable, graph)


def _emulated(work: Work, target: str, module: fx.GraphModule) -> tensors.Lane:
    """The fast path in the arithmetic of an exported file's runtime."""
    chosen = next(e for e in exported(work) if e.lane == f"export.{target}")
    unlisted = work.plan.target.unlisted
    return tensors.of_integers(lower(record(module), work.march, chosen.profile, unlisted).graph)


def _no_lane(name: str, known: Sequence[str]) -> Exception:
    near = registry.nearest(name, (*known, *RUNTIMES))
    return fail(
        Diagnostic(
            "QF530",
            f"there is no lane `{name}`",
            notes=(f"the nearest is `{near[0]}`",) if near else (),
            help=_listed(known),
        )
    )


def _listed(known: Any) -> str:
    return f"the lanes of this file are {', '.join(f'`{n}`' for n in known)}"


def samples_of(work: Work, name: str | None, count: int | None) -> DataSet:
    """The data block the summary is about, or the one that was asked for. QF110 for an unknown."""
    chosen = name or judged_on(work.plan) or next(iter(work.data), None)
    if chosen is None or chosen not in work.data:
        known = ", ".join(f"`{n}`" for n in work.data)
        raise fail(Diagnostic("QF110", f"there is no data `{chosen}`", help=f"there is {known}"))
    data = work.data[chosen]
    return data if count is None else replace(data, indices=data.indices[:count])
