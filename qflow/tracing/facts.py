"""facts: a Call for every node that runs a module: operator, attributes, sizes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from torch import fx, nn

from qflow.tracing import operators
from qflow.tracing.call import Call, operands, producer, set_call
from qflow.tracing.generated import Generated, operator_of
from qflow.tracing.values import Shape, first_shape


def note_calls(module: fx.GraphModule, values: Mapping[fx.Node, Any]) -> None:
    """Put a `Call` on every input and module call of the graph, in execution order."""
    for node in module.graph.nodes:
        if node.op == "placeholder":
            name, shape = str(node.target), values[node]
            set_call(node, Call(name, "input", "input", shape.dims))
        if node.op == "call_module":
            set_call(node, _call(node, module.get_submodule(str(node.target)), values))


def _call(node: fx.Node, module: nn.Module, values: Mapping[fx.Node, Any]) -> Call:
    generated = isinstance(module, Generated)
    op = operator_of(module) if isinstance(module, Generated) else operators.of_module(module)
    shape = first_shape(values[node]) or Shape(())
    plain = Call(
        address=str(node.target),
        type=module.word if isinstance(module, Generated) else type(module).__name__,
        op="unknown",
        shape=shape.dims,
        weights=sum(p.numel() for n, p in module.named_parameters() if n.endswith("weight")),
    )
    if op is None:
        return plain
    if any(producer(n) is None for n in operands(node)):
        return _replaced(plain, detail=f"{op.name} with a constant tensor")
    try:
        attributes = (
            op.attributes_of_function(_name(module), *_arguments(node, values))
            if generated
            else op.attributes_of_module(module)
        )
    except operators.unsupported() as reason:
        return _replaced(plain, detail=f"{op.name}: {reason}")
    return _replaced(
        plain,
        op=op.name,
        attributes=attributes,
        shares_scale=op.shares_scale,
        detail=_detail(module, attributes),
        macs=_macs(module, shape.dims),
        float_only=op.float_only(attributes, [s.dims for s in _operand_shapes(node, values)]),
    )


def _name(generated: Any) -> str:
    return str(getattr(generated.function, "__name__", ""))


def _operand_shapes(node: fx.Node, values: Mapping[fx.Node, Any]) -> list[Shape]:
    return [first_shape(values[n]) or Shape(()) for n in operands(node)]


def _replaced(call: Call, **fields: Any) -> Call:
    return Call(**{**vars(call), **fields})


def _arguments(
    node: fx.Node, values: Mapping[fx.Node, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], list[tuple[int, ...]]]:
    """Arguments as `Op.attributes_of_call` takes them: None for tensors, shapes beside them."""

    def plain(n: fx.Node) -> Any:
        return None if first_shape(values[n]) else values[n]

    args = fx.node.map_arg(node.args, plain)
    kwargs = fx.node.map_arg(node.kwargs, plain)
    shapes = [s.dims for s in _operand_shapes(node, values)]
    return _unfrozen(args), dict(_unfrozen(kwargs)), shapes


def _unfrozen(value: Any) -> Any:
    """fx keeps lists and dictionaries as its own immutable kinds."""
    if isinstance(value, Mapping):
        return {k: _unfrozen(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_unfrozen(v) for v in value]
    if type(value) is tuple:
        return tuple(_unfrozen(v) for v in value)
    return value


def _detail(module: nn.Module, attributes: Mapping[str, Any]) -> str:
    """`3->32 k3 s2`: what a reviewer wants to know of a window or a matrix."""
    parts = []
    inner = getattr(module, "in_channels", getattr(module, "in_features", None))
    outer = getattr(module, "out_channels", getattr(module, "out_features", None))
    if inner is not None:
        parts.append(f"{inner}->{outer}")
    for letter, name, usual in (
        ("k", "kernel", None),
        ("s", "stride", 1),
        ("d", "dilation", 1),
        ("g", "groups", 1),
    ):
        value = attributes.get(name, usual)
        if value not in (usual, (usual, usual)):
            parts.append(letter + _size(value))
    return " ".join(parts)


def _size(value: Any) -> str:
    if isinstance(value, tuple):
        return str(value[0]) if len(set(value)) == 1 else "x".join(map(str, value))
    return str(value)


def _macs(module: nn.Module, shape: tuple[int, ...]) -> int:
    """Every output element is one dot product with the weights of its channel."""
    weight = getattr(module, "weight", None)
    if weight is None or weight.dim() < 2:
        return 0
    return prod(shape[1:]) * weight[0].numel()
