"""evaluator: runs a prepared graph node by node, keeps what every node held, goes on from there."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

from qflow.analysis.ablation.readers import Watch
from qflow.quantization.example_inputs import arguments

if TYPE_CHECKING:
    from torch import Tensor, fx, nn

Values = dict["fx.Node", Any]


@dataclass
class Evaluator:
    """One prepared model and the outputs that matter; `evaluations` counts modules that ran."""

    module: fx.GraphModule
    outputs: Mapping[str, fx.Node]
    evaluations: int = 0
    nodes: tuple[fx.Node, ...] = field(init=False)
    """What the outputs depend on, in execution order."""
    position: Mapping[fx.Node, int] = field(init=False)
    last_use: Mapping[fx.Node, int] = field(init=False)
    """Position of the last node that reads a node's value; past all nodes for an output."""
    overwriting: set[fx.Node] = field(default_factory=set)
    """Nodes that write into their operands; they get copies, so that what is kept stays."""

    def __post_init__(self) -> None:
        wanted = _ancestors(self.outputs.values())
        self.nodes = tuple(n for n in self.module.graph.nodes if n in wanted)
        self.position = {n: i for i, n in enumerate(self.nodes)}
        users = {n: [self.position[u] for u in n.users if u in wanted] for n in self.nodes}
        kept = set(self.outputs.values())
        end = len(self.nodes)
        self.last_use = {
            n: end if n in kept else max(users[n], default=self.position[n]) for n in self.nodes
        }

    @property
    def modules(self) -> int:
        """How many modules one pass evaluates."""
        return sum(n.op == "call_module" for n in self.nodes)

    def start(self, batch: Any, watch: Watch | None = None) -> Values:
        """Every node's value for a batch.

        `watch` learns which nodes run which fake-quantizers; every operand is then a copy, so that
        nodes that overwrite theirs are noticed before they spoil anything.
        """
        given = dict(zip(_placeholders(self.module), _bound(self.module, batch), strict=True))
        values: Values = {}
        for node in self.nodes:
            if node.op == "placeholder":
                values[node] = given[node]
            elif watch is None:
                values[node] = self._run(node, values)
            else:
                with watch.at(node):
                    values[node] = self._watched(node, values)
                watch.ended(node, values[node])
        return values

    def downstream(self, roots: Collection[fx.Node]) -> tuple[fx.Node, ...]:
        """The roots and everything that depends on them, in execution order."""
        dirty = set(roots)
        for node in self.nodes:
            if not dirty.isdisjoint(node.all_input_nodes):
                dirty.add(node)
        return tuple(n for n in self.nodes if n in dirty)

    def again(
        self, dirty: Sequence[fx.Node], values: Values, started: Mapping[fx.Node, Any]
    ) -> dict[str, Any]:
        """Outputs by name with the dirty nodes computed anew; `started` has values given for some.

        A started node is computed after all where it reads something dirty.
        """
        changed: Values = {}
        for node in dirty:
            reads_dirty = any(n in changed for n in node.all_input_nodes)
            if node in started and not reads_dirty:
                changed[node] = started[node]
            else:
                changed[node] = self._run(node, values, changed)
            here = self.position[node]
            for source in (*node.all_input_nodes, node):
                # its last reader has run: only its shape in `all_input_nodes` is needed any more
                if self.last_use[source] <= here and source in changed:
                    changed[source] = None
        return {name: changed.get(n, values.get(n)) for name, n in self.outputs.items()}

    def forget(self, values: Values, before: int) -> None:
        """Drop values that no node from position `before` on reads."""
        for node in [n for n in values if self.last_use[n] < before]:
            del values[node]

    def _run(self, node: fx.Node, values: Values, changed: Values | None = None) -> Any:
        from torch.fx.node import map_aggregate, map_arg

        def value(n: fx.Node) -> Any:
            return changed[n] if changed is not None and n in changed else values[n]

        args, kwargs = map_arg((node.args, node.kwargs), value)
        if node in self.overwriting:
            args, kwargs = map_aggregate((args, kwargs), _copied)
        return self._call(node, args, kwargs)

    def _watched(self, node: fx.Node, values: Values) -> Any:
        from torch.fx.node import map_aggregate, map_arg

        copies: list[Tensor] = []

        def copied(value: Any) -> Any:
            copy = _copied(value)
            copies.extend([] if copy is value else [copy])
            return copy

        given = map_arg((node.args, node.kwargs), values.__getitem__)
        args, kwargs = map_aggregate(given, copied)
        result = self._call(node, args, kwargs)
        if any(c._version for c in copies):
            self.overwriting.add(node)
        return result

    def _call(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        match node.op:
            case "call_module":
                self.evaluations += 1
                return self.module.get_submodule(str(node.target))(*args, **kwargs)
            case "call_function":
                assert callable(node.target)
                return node.target(*args, **kwargs)
            case "call_method":
                return getattr(args[0], str(node.target))(*args[1:], **kwargs)
            case "get_attr":
                return _attribute(self.module, str(node.target))
        raise AssertionError(f"a node of kind {node.op} computes nothing")


def _ancestors(nodes: Collection[fx.Node]) -> set[fx.Node]:
    found: set[fx.Node] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += node.all_input_nodes
    return found


def _placeholders(module: fx.GraphModule) -> list[fx.Node]:
    return [n for n in module.graph.nodes if n.op == "placeholder"]


def _bound(module: fx.GraphModule, batch: Any) -> Sequence[Any]:
    """One value per placeholder: what a call of the module with this batch would give them."""
    args, kwargs = arguments(batch)
    bound = inspect.signature(module.forward).bind(*args, **kwargs)
    bound.apply_defaults()
    found: Sequence[Any] = module.graph.process_inputs(*bound.args, *bound.kwargs.values())
    return found


def _copied(value: Any) -> Any:
    from torch import Tensor

    return value.clone() if isinstance(value, Tensor) else value


def _attribute(module: nn.Module, path: str) -> Any:
    return reduce(getattr, path.split("."), module)
