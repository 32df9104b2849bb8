"""facts: a Call for every node that runs a module: operator, attributes, sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import fx, nn

from qflow.tracing import operators
from qflow.tracing.call import Call, Inner, operands, producer, set_call, set_inner
from qflow.tracing.generated import CONSTANT, Generated, operator_of
from qflow.tracing.given import input_name
from qflow.tracing.inner import Step, ran
from qflow.tracing.values import Shape, first_shape


def note_calls(module: fx.GraphModule, values: Mapping[fx.Node, Any]) -> None:
    """Put a `Call` on every input and module call of the graph, in execution order."""
    for node in module.graph.nodes:
        if (name := input_name(node)) is not None:
            shape = values[node]
            dtype = str(shape.dtype).removeprefix("torch.")
            set_call(node, Call(name, "input", "input", shape.dims, dtype=dtype))
        if node.op == "call_module":
            called = module.get_submodule(str(node.target))
            set_call(node, _call(node, called, values))
            steps = ran(node).steps
            set_inner(node, tuple(_inner(module.get_submodule(s.address), s) for s in steps))


def _inner(module: nn.Module, step: Step) -> Inner:
    """What ran inside a call that is kept whole; its operands' shapes are not known."""
    plain = _plain(step.address, module, Shape(step.shape))
    op = operators.of_module(module)
    return Inner(plain if op is None else _known(plain, op, module, (), []), step.sources)


def _call(node: fx.Node, module: nn.Module, values: Mapping[fx.Node, Any]) -> Call:
    op = operator_of(module) if isinstance(module, Generated) else operators.of_module(module)
    plain = _plain(str(node.target), module, first_shape(values[node]) or Shape(()))
    if op is None:
        return plain
    if op.name != CONSTANT and any(_is_constant(n, values) for n in operands(node)):
        return _replaced(plain, detail=f"{op.name} with a constant tensor")
    shapes = [s.dims for s in _operand_shapes(node, values)]
    return _known(plain, op, module, _arguments(node, values), shapes)


def _plain(address: str, module: nn.Module, shape: Shape) -> Call:
    return Call(
        address=address,
        type=module.word if isinstance(module, Generated) else type(module).__name__,
        op="unknown",
        shape=shape.dims,
        weights=sum(p.numel() for n, p in module.named_parameters() if n.endswith("weight")),
    )


def _is_constant(node: fx.Node, values: Mapping[fx.Node, Any]) -> bool:
    """Whether an operand is on no grid though it should be; masks and indices need none."""
    shape = first_shape(values[node])
    return producer(node) is None and shape is not None and shape.is_float


def _known(
    plain: Call, op: Any, module: nn.Module, arguments: Any, shapes: list[tuple[int, ...]]
) -> Call:
    """The call of a module that an operator stands for; unknown in a form the operator has not."""
    try:
        attributes = (
            op.attributes_of_function(_name(module), *arguments)
            if isinstance(module, Generated)
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
        macs=_macs(op, module, shapes, plain.shape),
        float_only=op.float_only(attributes, shapes),
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


def _macs(op: Any, module: nn.Module, shapes: list[tuple[int, ...]], shape: tuple[int, ...]) -> int:
    weight = getattr(module, "weight", None)
    return int(op.macs(shapes, shape, () if weight is None else tuple(weight.shape)))
