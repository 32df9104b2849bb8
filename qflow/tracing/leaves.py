"""leaves: modules a trace does not enter: operators, modules of torch, and what is named."""

from __future__ import annotations

from torch import nn
from torch.jit import ScriptModule

from qflow.plan.address import matches
from qflow.plan.plan import GraphSpec, Leaf
from qflow.tracing import operators


class Leaves:
    """The rule of one trace; `composites`: modules of torch that hold others are entered."""

    def __init__(self, graph: GraphSpec, composites: bool) -> None:
        self._addresses = graph.leaves
        self._types = frozenset(graph.leaf_types)
        self._parts = graph.leaf_parts
        self._composites = composites

    def has(self, module: nn.Module, address: str) -> bool:
        if operators.of_module(module) is not None or is_wrapped(module):
            return True
        names = {type(module).__name__, *operators.class_names(type(module))}
        if names & self._types or any(matches(leaf, address) for leaf in self._addresses):
            return True
        if any(_covers(leaf, names, address) for leaf in self._parts):
            return True
        if isinstance(module, ScriptModule):
            return True
        of_torch = type(module).__module__.startswith(("torch.nn", "torch.ao.nn"))
        if not of_torch or isinstance(module, (nn.Sequential, nn.ModuleList, nn.ModuleDict)):
            return False
        return not (self._composites and any(True for _ in module.children()))


def _covers(leaf: Leaf, names: set[str], address: str) -> bool:
    """Whether one of its parts is the module, and none of what it leaves out."""

    def among(parts: tuple[tuple[str, str], ...]) -> bool:
        return any((not t or t in names) and matches(p, address) for t, p in parts)

    return among(leaf.parts) and not among(leaf.excluded)


def mark_wrapped(cls: type) -> None:
    """Make instances of a class leaves."""
    cls._qflow_wrapped = True  # type: ignore[attr-defined]


def is_wrapped(module: nn.Module) -> bool:
    """Whether the module's class is kept whole by `wrap`."""
    return bool(getattr(type(module), "_qflow_wrapped", False))
