"""Nodes of an integer graph one by one, in either implementation, on given operands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import torch

from qflow.emulation.graph import IntegerGraph
from qflow.emulation.op import Call, Range
from qflow.emulation.runtimes._calls import calls


class Stepper:
    """Runs single nodes: `oracle` in NumPy, `fast` in torch."""

    def __init__(self, graph: IntegerGraph) -> None:
        self.graph = graph
        self.calls = {call.node.id: call for call in calls(graph)}

    def oracle(self, name: str, *operands: np.ndarray) -> np.ndarray:
        call = self.calls[name]
        return call.operator.oracle(call, *operands)

    def fast(self, name: str, *operands: np.ndarray) -> np.ndarray:
        call = self.calls[name]
        ranges = [self._ranges[i] for i in call.node.inputs]
        prepared = call.operator.fast(call, ranges, torch.device("cpu"))
        tensors = [torch.from_numpy(np.ascontiguousarray(x, np.float32)) for x in operands]
        with torch.no_grad():
            return prepared.run(*tensors).double().numpy()

    def run(self, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Every node from the inputs; what is given is taken as it is."""
        values: dict[str, np.ndarray] = {}
        for name, call in self.calls.items():
            if name in given:
                values[name] = given[name]
            else:
                values[name] = self.oracle(name, *[values[i] for i in call.node.inputs])
        return values

    @cached_property
    def _ranges(self) -> dict[str, Range]:
        found: dict[str, Range] = {}
        for name, call in self.calls.items():
            found[name] = call.operator.values(call, [found[i] for i in call.node.inputs])
        return found


def reads_island(graph: IntegerGraph, call: Call) -> bool:
    """Whether a node quantizes what a float island gives."""
    return call.node.op == "quantize" and graph.by_id[call.node.inputs[0]].op == "island"
