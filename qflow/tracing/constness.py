"""constness: nodes that are the same whatever the inputs are: parameters, what is made of them.

Sizes may differ: `torch.arange(x.shape[1])` is a constant of the size the input has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import fx

from qflow.tracing.example_targets import WITHOUT_VALUES
from qflow.tracing.float_functional import At
from qflow.tracing.methods import PART, MethodCall
from qflow.tracing.values import first_shape


def constants(module: fx.GraphModule, values: Mapping[fx.Node, Any]) -> set[fx.Node]:
    """Nodes that hold tensors and that no input reaches, calls of modules left out."""
    found: set[fx.Node] = set()
    for node in module.graph.nodes:
        if first_shape(values[node]) is None or PART in node.meta:
            continue
        if node.op == "get_attr":
            found.add(node)
        if node.op not in ("call_function", "call_method"):
            continue
        if isinstance(node.target, (At, MethodCall)):
            continue
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        sources = [n for n in node.all_input_nodes if first_shape(values[n])]
        if name in WITHOUT_VALUES or all(n in found for n in sources):
            found.add(node)
    return found
