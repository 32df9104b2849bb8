"""probing: a prepared graph run on zeros of two batches, to see what follows the batch."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

from qflow.quantization.prepared import PreparedNode
from qflow.quantization.watching import quiet
from qflow.tracing import operators
from qflow.tracing.call import Call, call_of, operands
from qflow.tracing.example_targets import WITHOUT_VALUES
from qflow.tracing.float_functional import is_float_functional
from qflow.tracing.given import input_name
from qflow.tracing.trial import MODEL_ERRORS


@dataclass(frozen=True)
class Probe:
    """What one run showed, fake-quantizers off. Of a tuple the first tensor counts."""

    shapes: Mapping[fx.Node, tuple[int, ...]]
    dtypes: Mapping[fx.Node, torch.dtype]
    fixed: Mapping[fx.Node, Tensor]
    """Tensors that no input reaches but by its sizes, with their values."""


@dataclass(frozen=True)
class Probes:
    """The batch of the example, and one sample more where the model takes it."""

    here: Probe | None
    more: Probe | None
    batch: int

    def free(self, node: fx.Node) -> tuple[int, ...]:
        """Axes of a tensor whose sizes follow the batch; where that is not known, the first."""
        if self.here is None or self.more is None:
            return (0,)
        one, other = self.here.shapes.get(node), self.more.shapes.get(node)
        if one is None or other is None or len(one) != len(other):
            return (0,)
        return tuple(i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)

    def shape(self, node: fx.Node) -> tuple[int, ...] | None:
        return None if self.here is None else self.here.shapes.get(node)

    def dtype(self, node: fx.Node) -> torch.dtype | None:
        return None if self.here is None else self.here.dtypes.get(node)

    def is_whole(self, node: fx.Node) -> bool:
        """Whether a tensor holds whole numbers or truth values."""
        dtype = self.dtype(node)
        return dtype is not None and not dtype.is_floating_point

    def is_fixed(self, node: fx.Node) -> bool:
        return self.here is not None and node in self.here.fixed


def probe(prepared: fx.GraphModule) -> Probes:
    """Both runs, in evaluation mode; the model stays as it was.

    A model that only takes the batch of its example, or none of zeros, leaves a run out.
    """
    named = [n for n in prepared.graph.nodes if input_name(n) is not None]
    inputs = {n: call for n in named if (call := call_of(n)) is not None}
    batch = next((c.shape[0] for c in inputs.values() if c.shape), 1)
    return Probes(_run(prepared, inputs, 0), _run(prepared, inputs, 1), batch)


def _run(prepared: fx.GraphModule, inputs: Mapping[fx.Node, Call], more: int) -> Probe | None:
    tensor = next(iter((*prepared.parameters(), *prepared.buffers())), torch.empty(0))
    given = {
        node: torch.zeros(
            (call.shape[0] + more, *call.shape[1:]) if call.shape else (),
            dtype=getattr(torch, call.dtype),
            device=tensor.device,
        )
        for node, call in inputs.items()
    }
    found = _Interpreter(prepared, given)
    try:
        with quiet(prepared), torch.no_grad():
            found.run(*[None] * sum(n.op == "placeholder" for n in prepared.graph.nodes))
    except MODEL_ERRORS:
        return None
    return Probe(found.shapes, found.dtypes, found.fixed)


class _Interpreter(fx.Interpreter):
    def __init__(self, module: fx.GraphModule, given: Mapping[fx.Node, Tensor]) -> None:
        super().__init__(module)
        self.extra_traceback = False
        self._given = given
        self.shapes: dict[fx.Node, tuple[int, ...]] = {}
        self.dtypes: dict[fx.Node, torch.dtype] = {}
        self.fixed: dict[fx.Node, Tensor] = {}
        self._fixed_nodes: set[fx.Node] = set()

    def run_node(self, n: fx.Node) -> Any:
        value = self._value(n)
        first = _first(value)
        if first is not None:
            self.shapes[n], self.dtypes[n] = tuple(first.shape), first.dtype
            if self._is_fixed(n):
                self._fixed_nodes.add(n)
                if isinstance(value, Tensor):
                    self.fixed[n] = value.detach()
        return value

    def _value(self, n: fx.Node) -> Any:
        if n in self._given:
            return self._given[n]
        container = n.all_input_nodes[0] if n.all_input_nodes else None
        if n.target is operator.getitem and container is not None and self.env[container] is None:
            return None  # what holds inputs is not there; they are
        if n.op == "call_module" and is_float_functional(self.module.get_submodule(str(n.target))):
            return self._function(n)
        return super().run_node(n)

    def _function(self, n: fx.Node) -> Any:
        """Of a FloatFunctional the function: the module itself cannot be called."""
        call = call_of(n)
        assert call is not None
        known = operators.of_name(call.op)
        assert known is not None, "a method of a FloatFunctional is an operator"
        plain = PreparedNode("", "", call.op, (), call.attributes)
        return known.meaning(plain, *(self.env[s] for s in operands(n)))

    def _is_fixed(self, n: fx.Node) -> bool:
        if n.op == "get_attr":
            return True
        if n in self._given or n.op in ("placeholder", "output"):
            return False
        tensors = [s for s in n.all_input_nodes if s in self.shapes]
        name = n.target if isinstance(n.target, str) else getattr(n.target, "__name__", "")
        sizes_only = n.op != "call_module" and name in WITHOUT_VALUES
        return sizes_only or all(s in self._fixed_nodes for s in tensors)


def _first(value: Any) -> Tensor | None:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return next((t for v in value if (t := _first(v)) is not None), None)
    return None
