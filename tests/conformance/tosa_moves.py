"""Operators of TOSA that move, pick or compare values and round nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case
from tests.conformance.tosa_model import Model

Shape = tuple[int, ...]


class Mover:
    """A graph on one dtype: every method takes and gives the name of a tensor."""

    def __init__(self, graph: IntegerGraph, case: Case) -> None:
        self.model = Model(graph.profile)
        self.case, self.node = case, graph.by_id[case.id]
        self.constants = graph.constants
        self.dtype = case.target.dtype
        self.shape: Shape = self.node.output.shape

    def of(self, name: str) -> Shape:
        return self.model.shapes[name]

    def add(
        self, op: str, inputs: list[str], shape: Sequence[int], kind: str, **settings: object
    ) -> str:
        return self.model.add(op, inputs, tuple(shape), self.dtype, dict(settings), kind)

    def reshape(self, name: str, shape: Sequence[int]) -> str:
        return self.add("RESHAPE", [name, self.model.sizes(list(shape))], shape, "Reshape")

    def transpose(self, name: str, dims: Sequence[int]) -> str:
        shape = [self.of(name)[d] for d in dims]
        return self.add("TRANSPOSE", [name], shape, "Transpose", perms=list(dims))

    def slice(self, name: str, starts: Sequence[int], shape: Sequence[int]) -> str:
        inputs = [name, self.model.sizes(list(starts)), self.model.sizes(list(shape))]
        return self.add("SLICE", inputs, shape, "Slice")

    def concat(self, names: list[str], axis: int) -> str:
        shape = list(self.of(names[0]))
        shape[axis] = sum(self.of(n)[axis] for n in names)
        return self.add("CONCAT", names, shape, "Concat", axis=axis)

    def tile(self, name: str, times: Sequence[int]) -> str:
        shape = [s * t for s, t in zip(self.of(name), times, strict=True)]
        return self.add("TILE", [name, self.model.sizes(list(times))], shape, "Tile")

    def along(self, name: str, axis: int, start: int, count: int) -> str:
        starts, shape = [0] * len(self.of(name)), list(self.of(name))
        starts[axis], shape[axis] = start, count
        return self.slice(name, starts, shape)

    def finish(self, name: str) -> np.ndarray:
        self.model.add(
            "IDENTITY", [name], self.of(name), self.dtype, attribute="Identity", last=True
        )
        return self.model.run(self.dtype)


def _reshaped(m: Mover, x: str) -> str:
    return m.reshape(x, m.shape)


def _permuted(m: Mover, x: str) -> str:
    return m.transpose(x, m.case.attributes["dims"])


def _sliced(m: Mover, x: str) -> str:
    """Of the integer node, which a slice, a split, a chunk and an unbind become."""
    a = m.node.attributes
    stops = [min(s, size) for s, size in zip(a["stops"], m.of(x), strict=True)]
    counts = [stop - start for start, stop in zip(a["starts"], stops, strict=True)]
    assert set(a["steps"]) == {1}, "SLICE has no steps"
    return m.reshape(m.slice(x, a["starts"], counts), m.shape)


def _rolled(m: Mover, x: str) -> str:
    a = m.case.attributes
    for shift, axis in zip(a["shifts"], a["dims"], strict=True):
        size = m.of(x)[axis]
        cut = -shift % size
        x = m.concat([m.along(x, axis, cut, size - cut), m.along(x, axis, 0, cut)], axis)
    return x


def _repeated(m: Mover, x: str) -> str:
    return m.tile(x, m.case.attributes["times"])


def _expanded(m: Mover, x: str) -> str:
    return m.tile(x, [t // s for t, s in zip(m.shape, m.of(x), strict=True)])


def _shuffled(m: Mover, x: str) -> str:
    n, c, h, w = m.of(x)
    r = m.case.attributes["factor"]
    apart = m.reshape(x, (n, c // r**2, r, r, h, w))
    return m.reshape(m.transpose(apart, (0, 1, 4, 2, 5, 3)), m.shape)


def _unshuffled(m: Mover, x: str) -> str:
    n, c, h, w = m.of(x)
    r = m.case.attributes["factor"]
    apart = m.reshape(x, (n, c, h // r, r, w // r, r))
    return m.reshape(m.transpose(apart, (0, 1, 3, 5, 2, 4)), m.shape)


def _mixed(m: Mover, x: str) -> str:
    n, c, h, w = m.of(x)
    groups = m.case.attributes["groups"]
    apart = m.reshape(x, (n, groups, c // groups, h * w))
    return m.reshape(m.transpose(apart, (0, 2, 1, 3)), m.shape)


def _padded(m: Mover, x: str) -> str:
    sides = m.case.attributes["sides"]
    pairs = [sides[i : i + 2] for i in range(0, len(sides), 2)][::-1]
    around = [(0, 0)] * (len(m.shape) - len(pairs)) + pairs
    value = m.model.constant(m.constants[m.node.constants["value"]])
    sizes = m.model.sizes([s for pair in around for s in pair])
    return m.add("PAD", [x, sizes, value], m.shape, "Pad")


def _reduced(m: Mover, x: str) -> str:
    """REDUCE_MAX or REDUCE_MIN, one axis after the other."""
    op, kind = {"amax": ("REDUCE_MAX", "ReduceMax"), "amin": ("REDUCE_MIN", "ReduceMin")}[m.node.op]
    for axis in m.node.attributes["dims"]:
        shape = [1 if i == axis else s for i, s in enumerate(m.of(x))]
        mode = m.model.tosa.NanPropagationMode.PROPAGATE
        x = m.add(op, [x], shape, kind, axis=axis, nan_mode=mode)
    return m.reshape(x, m.shape)


MOVES: Mapping[str, Callable[[Mover, str], str]] = {
    **dict.fromkeys(("reshape", "flatten", "squeeze", "unsqueeze"), _reshaped),
    **dict.fromkeys(("slice", "split", "chunk", "unbind"), _sliced),
    **dict.fromkeys(("amax", "amin", "max", "min"), _reduced),
    "permute": _permuted,
    "roll": _rolled,
    "repeat": _repeated,
    "expand": _expanded,
    "pixel_shuffle": _shuffled,
    "pixel_unshuffle": _unshuffled,
    "channel_shuffle": _mixed,
    "pad": _padded,
}


def moved(graph: IntegerGraph, case: Case) -> np.ndarray:
    """SLICE, CONCAT, TRANSPOSE and so on, as the operator is made of them."""
    mover = Mover(graph, case)
    return mover.finish(MOVES[case.op](mover, mover.model.input(case.operands[0])))


def stacked(graph: IntegerGraph, case: Case) -> np.ndarray:
    """RESHAPE of each and CONCAT."""
    mover = Mover(graph, case)
    axis = case.attributes["dim"]
    parts = []
    for x in case.operands:
        shape = [*x.shape]
        shape.insert(axis, 1)
        parts.append(mover.reshape(mover.model.input(x), shape))
    return mover.finish(mover.concat(parts, axis))


def place(graph: IntegerGraph, case: Case) -> np.ndarray:
    """ARGMAX."""
    model, node = Model(graph.profile), graph.by_id[case.id]
    mode = model.tosa.NanPropagationMode.PROPAGATE
    settings = {"axis": case.attributes["dim"], "nan_mode": mode}
    name = model.input(case.operands[0])
    model.add("ARGMAX", [name], node.output.shape, "int32", settings, "ArgMax", last=True)
    return model.run("int32")


def picked(graph: IntegerGraph, case: Case) -> np.ndarray:
    """GATHER of a table's rows."""
    model, node = Model(graph.profile), graph.by_id[case.id]
    table, index = graph.constants[node.constants["weight"]], case.operands[0]
    inputs = [model.constant(table[None]), model.input(index.reshape(1, -1))]
    shape = (1, prod(index.shape), table.shape[1])
    model.add("GATHER", inputs, shape, str(table.dtype), attribute="Gather", last=True)
    return model.run(str(table.dtype)).reshape(node.output.shape)
