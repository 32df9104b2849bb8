"""tensors: every tensor of every lane on one batch, by the ids of the integer graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor as TorchTensor
from torch import fx

from qflow.analysis.divergence import Tensor
from qflow.emulation.graph import IntegerGraph, TensorType
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.engine.work import Work
from qflow.tracing.call import call_of

Arrays = Mapping[str, np.ndarray]
Found = dict[str, Tensor]
Lane = Callable[[Arrays], Found]


class _Watching(fx.Interpreter):
    """Runs a graph and keeps what every call gives; a tuple's parts are `<id>:<k>`."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.found: dict[str, np.ndarray] = {}
        self._calls: Counter[str] = Counter()

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        call = call_of(n)
        if call is not None:
            repeat = self._calls[call.address]
            self._calls[call.address] += 1
            name = f"{call.address}#{repeat}" if repeat else call.address
            parts = result if isinstance(result, tuple) else (result,)
            for k, part in enumerate(parts):
                if isinstance(part, TorchTensor):
                    place = f"{name}:{k}" if isinstance(result, tuple) else name
                    self.found[place] = part.detach().double().numpy()
        return result


def of_model(module: fx.GraphModule, lasts: Mapping[str, str], work: Work) -> Lane:
    """A traced model; `lasts` names, for an operator that was fused, the member that ends it."""
    inputs = [p.name for p in work.plan.model.inputs]

    def run(given: Arrays) -> Found:
        watching = _Watching(module)
        with torch.no_grad():
            watching.run(*(torch.from_numpy(given[name]) for name in inputs))
        found = watching.found
        ends = {a: found[last] for a, last in lasts.items() if last in found}
        return {k: Tensor(v) for k, v in {**found, **ends}.items()}

    return run


def of_integers(graph: IntegerGraph) -> Lane:
    """The fast path."""
    runtime, kept = TorchRuntime(graph), held(graph)

    def run(given: Arrays) -> Found:
        tensors = {name: torch.from_numpy(array) for name, array in given.items()}
        _, found = runtime.run_keeping(tensors, kept)
        return {k: real(v.numpy(), graph.by_id[k].output) for k, v in found.items()}

    return run


def of_oracle(graph: IntegerGraph) -> Lane:
    """NumPy, int64."""

    def run(given: Arrays) -> Found:
        _, found = oracle.run_keeping(graph, given, held(graph))
        return {k: real(v, graph.by_id[k].output) for k, v in found.items()}

    return run


def of_export(run: Any, graph: IntegerGraph) -> Lane:
    """An exported file in its runtime; the tensors it holds as integers."""
    kept = [k for k in held(graph) if (run.tensors.get(k) or {}).get("tensor") is not None]

    def call(given: Arrays) -> Found:
        found = run.run(given, keep=kept)
        return {k: real(found[k], graph.by_id[k].output) for k in kept}

    return call


def held(graph: IntegerGraph) -> tuple[str, ...]:
    """Nodes whose integers lie on a grid, in order."""
    return tuple(n.id for n in graph.nodes if n.output.scale is not None)


def real(integers: np.ndarray, type: TensorType) -> Tensor:
    """The values of integers of a type."""
    assert type.scale is not None, "a tensor on a grid has a scale"
    view = [1] * integers.ndim
    if type.axis is not None:
        view[type.axis] = -1
    scale = type.scale.astype(np.float64).reshape(view if type.axis is not None else ())
    return Tensor((integers.astype(np.float64) - type.zero_point) * scale, scale)
