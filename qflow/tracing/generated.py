"""Generated: the child module that stands for one functional call, `owner._generated_<op>_<k>`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.tracing import operators
from qflow.tracing.call import mark_tensor
from qflow.tracing.constness import constants
from qflow.tracing.float_functional import At
from qflow.tracing.given import input_name
from qflow.tracing.methods import PART, MethodCall
from qflow.tracing.names import Names
from qflow.tracing.parametric import Parametric, parametric
from qflow.tracing.recast import set_module
from qflow.tracing.values import first_shape

QUANT, DEQUANT, CONSTANT = "quant", "dequant", "constant"
"""Operators that a trace puts into a model itself."""


class Generated(nn.Module):
    """Calls one function; the arguments that are no tensors stay in the graph's node."""

    def __init__(self, function: Callable[..., Any], word: str, op: str = "") -> None:
        super().__init__()
        self.function = function
        self.word = word
        """The operator's name, or the function's own where no operator knows it."""
        self.op = op
        """The operator, where it is not that of the function: stubs and constants."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        if isinstance(self.function, MethodCall):
            self.function.training = self.training
        return self.function(*args, **kwargs)

    def extra_repr(self) -> str:
        return self.word


def same(x: Any) -> Any:
    """What a generated stub or constant does on floats: nothing."""
    return x


def generate(module: fx.GraphModule, values: dict[fx.Node, Any]) -> Names:
    """Turn every functional call on tensors into a call of a generated child, in place.

    `values` follows: a replaced node hands its value to the new one. Shape arithmetic, the picking
    of an element out of a tuple and what is made of constants only stay as they are. A function on
    parameters of the model, such as `linear(x, self.weight)`, becomes the module it is.
    """
    for node, value in values.items():
        if first_shape(value) and PART not in node.meta:
            mark_tensor(node)
    names = Names()
    fixed = constants(module, values)
    for node in list(module.graph.nodes):
        if node in fixed or not _is_call_on_tensors(node, values):
            continue
        made = parametric(module, node, values)
        function, word, child = _child(node, made)
        address = _address(module, node, function, word, made, names)
        _put(module, address, child)
        args, kwargs = (made.args, {}) if made else (node.args, dict(node.kwargs))
        with module.graph.inserting_before(node):
            call = module.graph.call_module(address, args, kwargs)
        call.meta = dict(node.meta)
        values[call] = values.pop(node)
        node.replace_all_uses_with(call)
        module.graph.erase_node(node)
    for node in reversed(list(module.graph.nodes)):
        # parameters that a module holds now
        if node.op == "get_attr" and not node.users:
            module.graph.erase_node(node)
            values.pop(node)
    module.recompile()
    return names


def operator_of(generated: Generated) -> Any | None:
    """The operator a generated child stands for; None when no operator knows its function."""
    if generated.op:
        return operators.of_name(generated.op)
    return operators.of_function(generated.function)


def _child(node: fx.Node, made: Parametric | None) -> tuple[Callable[..., Any], str, nn.Module]:
    function, op = _function(node)
    word = op.name if op else function.__name__.strip("_")
    plain = function.function if isinstance(function, At) else function
    return function, word, made.module if made else Generated(plain, word)


def _address(
    module: fx.GraphModule,
    node: fx.Node,
    function: Callable[..., Any],
    word: str,
    made: Parametric | None,
    names: Names,
) -> str:
    if made and made.address is not None:
        return made.address
    if not isinstance(function, At):
        return names.address(node, word)
    try:
        there = module.get_submodule(function.address)
    except AttributeError:
        return function.address
    if isinstance(there, Generated) and there.function is not function.function:
        raise fail(
            Diagnostic(
                "QF229",
                f"the FloatFunctional `{function.address}` is used for {there.word} and {word}",
                help="give each operator a FloatFunctional of its own: one has one scale",
            )
        )
    return function.address


def _put(module: fx.GraphModule, address: str, child: nn.Module) -> None:
    """Register a child, unless a call of the same address did."""
    try:
        there = module.get_submodule(address)
    except AttributeError:
        module.add_submodule(address, child)
        return
    if isinstance(there, Generated) or type(there) is type(child):
        return
    # what was generated below the address stays there
    for name, below in there.named_children():
        child.add_module(name, below)
    set_module(module, address, child)


def _function(node: fx.Node) -> tuple[Callable[..., Any], Any | None]:
    if node.op == "call_function":
        assert callable(node.target)
        target = node.target
        plain = target.function if isinstance(target, At) else target
        return target, operators.of_function(plain)
    assert isinstance(node.target, str)
    return getattr(torch.Tensor, node.target), operators.of_method(node.target)


def _is_call_on_tensors(node: fx.Node, values: Mapping[fx.Node, Any]) -> bool:
    if node.op not in ("call_function", "call_method") or not first_shape(values[node]):
        return False
    if input_name(node) is not None:
        return False
    sources = [values[n] for n in node.all_input_nodes if first_shape(values[n])]
    picks = node.op == "call_function" and getattr(node.target, "__name__", "") == "getitem"
    return bool(sources) and not (picks and isinstance(sources[0], (tuple, list, Mapping)))
