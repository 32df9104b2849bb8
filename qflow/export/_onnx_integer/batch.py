"""batch: one graph with a free batch, of two that were traced with batches of different sizes.

Both have the same nodes. A constant that differs holds sizes: it is a multiple of the batch plus
what stays, and becomes that: -1 in a reshape, else a few nodes that compute it from the input.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qflow.export._onnx.builder import Builder, Step
from qflow.export._onnx_integer.traced import Untraceable

FIRST, SECOND = 2, 3
"""Not 1, which NumPy spreads to any size."""


def freed(one: Builder, other: Builder, source: str) -> Builder:
    """`one` with a free batch; `source` is an input whose first axis is the batch.

    Raises Untraceable where the size of the batch decides what the graph is.
    """
    if len(one.steps) != len(other.steps):
        raise Untraceable("what it computes depends on the size of the batch")
    merged = _Merged(one, other, source)
    steps = []
    for mine, theirs in zip(one.steps, other.steps, strict=True):
        if (mine.op, mine.attributes) != (theirs.op, theirs.attributes):
            raise Untraceable("what it computes depends on the size of the batch")
        inputs = tuple(
            merged.input(mine, i, a, b)
            for i, (a, b) in enumerate(zip(mine.inputs, theirs.inputs, strict=True))
        )
        steps += [*merged.taken(), replace(mine, inputs=inputs)]
    return replace(one, steps=steps)


class _Merged:
    """Inputs of both graphs as inputs of one."""

    def __init__(self, one: Builder, other: Builder, source: str) -> None:
        self.one, self.other, self.source = one, other, source
        self.made: dict[tuple[str, str], str] = {}
        self.steps: list[Step] = []

    def taken(self) -> list[Step]:
        """Nodes that the last inputs need before them."""
        found, self.steps = self.steps, []
        return found

    def input(self, step: Step, place: int, name: str, twin: str) -> str:
        if name not in self.one.constants:
            return name
        mine, theirs = self.one.constants[name], self.other.constants[twin]
        if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
            raise Untraceable("a constant has the size of the batch")
        if np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f"):
            return name
        if mine.dtype != np.int64:
            raise Untraceable("a constant depends on the size of the batch")
        times = (theirs - mine) // (SECOND - FIRST)
        rest = mine - times * FIRST
        if not np.array_equal(times * SECOND + rest, theirs):
            raise Untraceable("a size is no multiple of the batch")
        if (name, twin) not in self.made:
            self.made[name, twin] = (
                self._open(name, mine, theirs)
                if step.op == "Reshape" and place == 1 and (mine != theirs).sum() == 1
                else self._computed(name, times, rest)
            )
        return self.made[name, twin]

    def _open(self, name: str, mine: np.ndarray, theirs: np.ndarray) -> str:
        free = np.where(mine == theirs, mine, -1)
        return self.one.constant(self.one.name(f"{name}/free"), free)

    def _computed(self, name: str, times: np.ndarray, rest: np.ndarray) -> str:
        constant = {
            "from": np.array([0], np.int64),
            "to": np.array([1], np.int64),
            "times": times,
            "rest": rest,
        }
        places = {
            k: self.one.constant(self.one.name(f"{name}/{k}"), v) for k, v in constant.items()
        }
        shape = self._step("Shape", (self.source,), f"{name}/sizes")
        batch = self._step("Slice", (shape, places["from"], places["to"]), f"{name}/batch")
        scaled = self._step("Mul", (batch, places["times"]), f"{name}/scaled")
        found = self._step("Add", (scaled, places["rest"]), f"{name}/size")
        if times.ndim == 0:
            empty = self.one.constant(self.one.name(f"{name}/scalar"), np.zeros(0, np.int64))
            return self._step("Reshape", (found, empty), f"{name}/number")
        return found

    def _step(self, op: str, inputs: tuple[str, ...], wanted: str) -> str:
        name = self.one.name(wanted)
        self.steps.append(Step(op, inputs, name, {}))
        return name
