"""One case against qflow: derived parameters, every operator by itself, and the whole network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qflow import march as marches
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.profile import profile
from qflow.emulation.sophgo.rounding import from_bf16, from_f16
from qflow.quantization.prepared import PreparedGraph
from tests.emulation.sophgo.loading import prepared
from tests.emulation.sophgo.matching import CASTS, Match, matches
from tests.emulation.sophgo.parameters import differences, pairs
from tests.emulation.sophgo.running import Stepper, reads_island
from tests.emulation.sophgo.vectors import Case

MARCHES: Mapping[str, str] = {
    "bm1684": "bm1684",
    "bm1684x": "bm1684x",
    "bm1688": "bm1688",
    "cv181x": "cv18xx",
    "cv183x": "cv18xx",
}
INTERPRETER = ".interpreter"
SCALE_DIGITS = 1e-14
"""Scales may differ by the last bit of a float64: the table's row is a scale here, and a threshold
there."""
KEPT, FLOATS = "stays float", ("f32", "f16", "bf16")
MOVES = ("tpu.Reshape", "tpu.Permute", "tpu.Slice")
"""Operators the vendor may run on the floats of the input, before they come onto a grid."""
PARAMETERS, INTERPRETED, WHOLE, CHIP = "parameters", "interpreter", "end to end", "chip"


@dataclass
class Result:
    """Values compared and different, by (what, operator of the vendor)."""

    compared: Counter[tuple[str, str]] = field(default_factory=Counter)
    different: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    """Where it differs, and what has no counterpart."""

    def add(self, what: str, kind: str, count: int, wrong: int, where: str) -> None:
        self.compared[what, kind] += count
        self.different[what, kind] += wrong
        if wrong:
            self.notes.append(f"{where}: {what}: {wrong} of {count} differ")


def compare(case: Case) -> Result:
    """Everything that can be compared of one case."""
    result, graph = Result(), prepared(case)
    march = marches.load(MARCHES[case.processor])
    settled = profile(march.profile).settle(graph, march)
    interpreter = lower(graph, march, march.profile + INTERPRETER, unlisted="float").graph
    _parameters(case, settled, interpreter, result)
    _floats(case, interpreter, result)
    _operators(case, interpreter, result)
    _whole(case, interpreter, result)
    if case.compared_on_chip:
        chip = lower(graph, march, march.profile, unlisted="float").graph
        _chip(case, chip, result)
    return result


def _parameters(case: Case, settled: PreparedGraph, graph: IntegerGraph, result: Result) -> None:
    stepper = Stepper(graph)
    grids = {n.id: n.grid for n in settled.nodes if n.grid is not None}
    for match in matches(case, graph):
        kind, where = _kind(match), f"{case.name} {match.tensor}"
        if match.node is None:
            result.notes.append(f"{where}: {kind} has no counterpart")
            continue
        grid, type_ = grids.get(match.node), match.op["out_types"][0]
        if grid is not None and "scale" in type_:
            same = abs(float(grid.scale[0]) / type_["scale"] - 1) < SCALE_DIGITS
            same = same and grid.zero_point == type_.get("zp", 0)
            signed = type_["type"] in ("i8", "si8")
            same = same and grid.dtype.name == ("int8" if signed else "uint8")
            result.add(PARAMETERS, kind, 1, int(not same), f"{where} scale")
        call = stepper.calls[match.node]
        if kind == "Cast":
            continue
        if reads_island(graph, call):
            result.add(PARAMETERS, kind, 1, 1, f"{where} is no integer operator")
            continue
        for role, vendor, found in pairs(case, match.op, call):
            wrong = differences(vendor, found)
            result.add(PARAMETERS, kind, vendor.size, wrong, f"{where} {role}")


def _floats(case: Case, graph: IntegerGraph, result: Result) -> None:
    """What the vendor keeps in floats is a float island here."""
    stepper = Stepper(graph)
    for op in case.ops:
        name, type_ = op["outs"][0], op["out_types"][0]
        if op["type"] in CASTS or name is None or name[2:] not in graph.by_id:
            continue
        if type_ is None or type_.get("type") not in FLOATS or op["type"] in MOVES:
            continue
        call = stepper.calls[name[2:]]
        kept = reads_island(graph, call) or call.node.output.dtype == "float32"
        kind = str(op["type"]).removeprefix("tpu.")
        result.add(KEPT, kind, 1, int(not kept), f"{case.name} {name[2:]} stays float")


def _operators(case: Case, graph: IntegerGraph, result: Result) -> None:
    """Every operator fed with the vendor's own operands."""
    stepper = Stepper(graph)
    known: dict[str, np.ndarray] = {}

    def value(name: str) -> np.ndarray:
        if name not in known:
            call = stepper.calls[name]
            if call.node.op == "input":
                known[name] = case.arrays[f"in.{call.node.address}"]
            else:
                known[name] = stepper.oracle(name, *map(value, call.node.inputs))
        return known[name]

    for match in matches(case, graph):
        expected = case.tensor(match.tensor)
        if match.node is None or expected is None:
            continue
        kind, where = _kind(match), f"{case.name} {match.tensor}"
        call = stepper.calls[match.node]
        if kind == "Cast":
            found = _cast(case, match, stepper)
            fast = found
        else:
            operands = [value(i) for i in call.node.inputs]
            found = stepper.oracle(match.node, *operands)
            fast = stepper.fast(match.node, *operands)
        expected = expected.astype(np.int64).reshape(found.shape)
        wrong = int((found != expected).sum()) + int((fast != found).sum())
        result.add(INTERPRETED, kind, expected.size, wrong, where)
        known[match.node] = expected


def _cast(case: Case, match: Match, stepper: Stepper) -> np.ndarray:
    """Floats onto the grid of a node: of the network's input, or of a float operator's result."""
    assert match.node is not None
    name = match.op["ins"][0][2:]
    floats = case.tensor(name)
    assert floats is not None
    node = stepper.calls[match.node].node
    kind = (match.op["in_types"][0] or {}).get("type")
    scale = np.float64(match.op["out_types"][0]["scale"])
    low, high = (0, 255) if node.output.dtype == "uint8" else (-128, 127)
    if kind == "f16":
        return from_f16(floats, scale, low, high)
    if kind == "bf16":
        return from_bf16(floats, scale, low, high)
    while node.op != "quantize":
        node = stepper.graph.by_id[node.inputs[0]]
    return stepper.oracle(node.id, floats)


def _whole(case: Case, graph: IntegerGraph, result: Result) -> None:
    """From the inputs through all operators; behind a float operator with the vendor's integers."""
    stepper = Stepper(graph)
    found = list(matches(case, graph))
    given = _inputs(case, graph) | {
        m.node: tensor.astype(np.int64).reshape(graph.by_id[m.node].output.shape)
        for m in found
        if m.node
        and reads_island(graph, stepper.calls[m.node])
        and (tensor := case.tensor(m.tensor)) is not None
    }
    values = stepper.run(given)
    for match in found:
        expected = case.tensor(match.tensor)
        if match.node is None or expected is None:
            continue
        mine = values[match.node]
        if mine.size != expected.size:
            continue
        wrong = int((mine.reshape(-1) != expected.reshape(-1)).sum())
        result.add(WHOLE, _kind(match), mine.size, wrong, f"{case.name} {match.tensor}")


def _chip(case: Case, graph: IntegerGraph, result: Result) -> None:
    """Every integer output of the network as the chip model gives it."""
    stepper = Stepper(graph)
    found = {m.tensor: m for m in matches(case, graph)}
    given = _inputs(case, graph)
    for match in found.values():
        if match.node and reads_island(graph, stepper.calls[match.node]):
            given[match.node] = _behind_float(case, match, graph)
    values = stepper.run(given)
    for name in _chip_outputs(case):
        match = found.get(name) or found.get(name.removesuffix("_f32"))
        if match is None or match.node is None:
            continue
        expected = case.tensor(match.tensor, "cm")
        if expected is None:
            expected = case.tensor(match.tensor)
        if expected is None:
            continue
        mine = values[match.node].reshape(-1)
        wrong = int((mine != expected.reshape(-1)).sum())
        result.add(CHIP, _kind(match), mine.size, wrong, f"{case.name} {match.tensor}")


def _behind_float(case: Case, match: Match, graph: IntegerGraph) -> np.ndarray:
    """What the chip reads behind a float operator, where its result is known; else as the
    interpreter."""
    assert match.node is not None
    shape = graph.by_id[match.node].output.shape
    name, type_ = match.op["ins"][0][2:], match.op["out_types"][0]
    floats = case.tensor(name, "cm")
    if floats is not None and (match.op["in_types"][0] or {}).get("type") == "f16":
        low, high = (0, 255) if graph.by_id[match.node].output.dtype == "uint8" else (-128, 127)
        return from_f16(floats, np.float64(type_["scale"]), low, high).reshape(shape)
    tensor = case.tensor(match.tensor)
    assert tensor is not None
    return tensor.astype(np.int64).reshape(shape)


def _chip_outputs(case: Case) -> list[str]:
    differing = [k[3:] for k in case.arrays if k.startswith("cm.")]
    return list(dict.fromkeys([*case.on_chip, *differing]))


def _inputs(case: Case, graph: IntegerGraph) -> dict[str, np.ndarray]:
    return {i: case.arrays[f"in.{graph.by_id[i].address}"] for i in graph.inputs}


def _kind(match: Match) -> str:
    op: Mapping[str, Any] = match.op
    if op["type"] in CASTS:
        return "Cast"
    return str(op["type"]).removeprefix("tpu.")
