"""kept_whole: which addresses a `leaf` names: modules the trace did not enter, nor quantizes."""

from collections.abc import Iterable

from qflow.plan.address import matches
from qflow.plan.inventory import Module
from qflow.plan.plan import GraphSpec, Leaf

GENERATED = "_generated_"
"""Beginning of the name of what is no module of the user's: the child of a functional call."""


def leaves(graph: GraphSpec, modules: Iterable[Module]) -> frozenset[str]:
    """Addresses of modules that a statement of `graph` keeps whole."""
    if not (graph.leaves or graph.leaf_types or graph.leaf_parts):
        return frozenset()
    types = {name.rpartition(".")[2] for name in graph.leaf_types}
    return frozenset(m.address for m in modules if _is_leaf(graph, types, m))


def _is_leaf(graph: GraphSpec, types: set[str], module: Module) -> bool:
    if module.address.rpartition(".")[2].startswith(GENERATED):
        return False
    by_name = any(matches(pattern, module.address) for pattern in graph.leaves)
    return by_name or module.type in types or any(_covers(p, module) for p in graph.leaf_parts)


def _covers(leaf: Leaf, module: Module) -> bool:
    """As a trace judges it: the type, where one is named, and the pattern."""

    def among(parts: tuple[tuple[str, str], ...]) -> bool:
        return any(
            type_.rpartition(".")[2] in ("", module.type) and matches(pattern, module.address)
            for type_, pattern in parts
        )

    return among(leaf.parts) and not among(leaf.excluded)
