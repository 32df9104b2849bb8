"""Generated: the child module that stands for one functional call, `owner._generated_<op>_<k>`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import fx, nn

from qflow.tracing import operators
from qflow.tracing.call import mark_tensor
from qflow.tracing.tracer import OWNER
from qflow.tracing.values import first_shape


class Generated(nn.Module):
    """Calls one function; the arguments that are no tensors stay in the graph's node."""

    def __init__(self, function: Callable[..., Any], word: str) -> None:
        super().__init__()
        self.function = function
        self.word = word
        """The operator's name, or the function's own where no operator knows it."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def extra_repr(self) -> str:
        return self.word


def generate(module: fx.GraphModule, values: dict[fx.Node, Any]) -> None:
    """Turn every functional call on tensors into a call of a generated child, in place.

    `values` follows: a replaced node hands its value to the new one. Shape arithmetic and the
    picking of an element out of a tuple stay as they are.
    """
    for node, value in values.items():
        if first_shape(value):
            mark_tensor(node)
    numbers: Counter[tuple[str, str]] = Counter()
    for node in list(module.graph.nodes):
        if not _is_call_on_tensors(node, values):
            continue
        function, op = _function(node)
        word = op.name if op else function.__name__.strip("_")
        owner = node.meta[OWNER]
        name = f"_generated_{word}_{numbers[owner, word]}"
        numbers[owner, word] += 1
        address = f"{owner}.{name}" if owner else name
        module.add_submodule(address, Generated(function, word))
        with module.graph.inserting_before(node):
            call = module.graph.call_module(address, node.args, dict(node.kwargs))
        call.meta = dict(node.meta)
        values[call] = values.pop(node)
        node.replace_all_uses_with(call)
        module.graph.erase_node(node)
    module.recompile()


def operator_of(generated: Generated) -> Any | None:
    """The operator a generated child stands for; None when no operator knows its function."""
    return operators.of_function(generated.function)


def _function(node: fx.Node) -> tuple[Callable[..., Any], Any | None]:
    if node.op == "call_function":
        assert callable(node.target)
        return node.target, operators.of_function(node.target)
    assert isinstance(node.target, str)
    return getattr(torch.Tensor, node.target), operators.of_method(node.target)


def _is_call_on_tensors(node: fx.Node, values: Mapping[fx.Node, Any]) -> bool:
    if node.op not in ("call_function", "call_method") or not first_shape(values[node]):
        return False
    sources = [values[n] for n in node.all_input_nodes if first_shape(values[n])]
    picks = node.op == "call_function" and getattr(node.target, "__name__", "") == "getitem"
    return bool(sources) and not (picks and isinstance(sources[0], (tuple, list, Mapping)))
