"""graph_structure: how a traced graph is called and what it returns, as a Structure."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from qflow.export._model.structure import Leaf, Path, Structure

if TYPE_CHECKING:
    from torch import fx


def structure_of(graph: fx.Graph) -> Structure:
    """Parameters are the graph's placeholders; tensors are those the trace named as inputs."""
    from qflow.tracing.given import input_name

    nodes = list(graph.nodes)
    inputs = [(name, *_place(n)) for n in nodes if (name := input_name(n)) is not None]
    return Structure(
        tuple(str(n.target) for n in nodes if n.op == "placeholder"),
        tuple(inputs),
        _template(graph),
    )


def _place(node: fx.Node) -> tuple[str, Path]:
    """Parameter and keys of a tensor that was handed over."""
    path: list[Any] = []
    while node.op != "placeholder":
        source, *keys = node.args
        # any other call on the way hands its argument on
        path += keys if node.target is operator.getitem else ()
        node = source  # type: ignore[assignment]
    return str(node.target), tuple(reversed(path))


def _template(graph: fx.Graph) -> Any:
    """What the model returns, with leaves for its tensors."""
    from qflow.tracing.call import output_node, output_paths

    names = {path: name for name, path in output_paths(graph).items()}

    def built(value: Any, path: Path) -> Any:
        if path in names:
            return Leaf(names[path])
        if isinstance(value, dict):
            return {k: built(v, (*path, k)) for k, v in value.items()}
        if isinstance(value, (tuple, list)):
            parts = [built(v, (*path, i)) for i, v in enumerate(value)]
            if hasattr(value, "_fields"):
                return type(value)(*parts)
            return parts if isinstance(value, list) else tuple(parts)
        return value

    return built(output_node(graph).args[0], ())
