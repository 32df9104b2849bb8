"""Call: what a node of the graph does, kept in its `meta` under one key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import fx

from qflow.diagnostics import Diagnostic, fail

OWNER = "qflow.owner"
"""Key in `node.meta`: address of the module whose `forward` made the node."""
_CALL = "qflow.call"
_INNER = "qflow.inner"
_TENSOR = "qflow.tensor"
_PATHS = "qflow.paths"


@dataclass(frozen=True)
class Call:
    """One execution of a module or generated child; an input counts as one, its op is `input`."""

    address: str
    type: str
    """Class name; the operator (or the function's own name) for a generated child."""
    op: str
    """Operator file, or `unknown`."""
    shape: tuple[int, ...]
    """Of the first output, batch included."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What the operator file says lowering needs."""
    shares_scale: bool = False
    """The output lies on the grid of the inputs."""
    detail: str = ""
    weights: int = 0
    macs: int = 0
    """Of one sample."""
    float_only: str = ""
    """Why it has no integer form as it is called, though its operator has one; empty: it has."""
    dtype: str = "float32"
    """Of an input what the example holds, as torch calls it: `int64`."""


def call_of(node: fx.Node) -> Call | None:
    """The call of a node; None for the output, constants and shape arithmetic."""
    return node.meta.get(_CALL)


def set_call(node: fx.Node, call: Call) -> None:
    node.meta[_CALL] = call


@dataclass(frozen=True)
class Inner:
    """A module that ran inside a call that is kept whole, such as a wrapped method."""

    call: Call
    sources: tuple[tuple[str | int, ...], ...]
    """Per tensor operand what it came from: addresses, and positions of the call's own operands."""


def inner_of(node: fx.Node) -> tuple[Inner, ...]:
    """What ran inside a call, in execution order."""
    found: tuple[Inner, ...] = node.meta.get(_INNER, ())
    return found


def set_inner(node: fx.Node, inner: tuple[Inner, ...]) -> None:
    node.meta[_INNER] = inner


def calls_of(node: fx.Node) -> tuple[Call, ...]:
    """Every call a node makes: those inside it, then its own."""
    own = call_of(node)
    return (*(i.call for i in inner_of(node)), *((own,) if own else ()))


def mark_tensor(node: fx.Node) -> None:
    """Note that the node's value is a tensor (or a tuple of them)."""
    node.meta[_TENSOR] = True


def is_tensor(node: fx.Node) -> bool:
    return bool(node.meta.get(_TENSOR, False))


def operands(node: fx.Node) -> tuple[fx.Node, ...]:
    """Tensor operands of a node in the order of its arguments, with repeats: `x + x` has two."""
    found: list[fx.Node] = []
    fx.node.map_arg((node.args, node.kwargs), found.append)
    return tuple(n for n in found if is_tensor(n))


def producer(node: fx.Node) -> fx.Node | None:
    """The call or input a tensor comes from, through the picking of tuple elements.

    None for constants: parameters, buffers and tensors made inside `forward`.
    """
    while call_of(node) is None and node.op == "call_function":
        sources = operands(node)
        if len(sources) != 1:
            return None
        node = sources[0]
    return node if call_of(node) else None


def part_of(node: fx.Node) -> int | None:
    """Which output of its producer a tensor is, where that gives a tuple; None for the only one."""
    part = None
    while call_of(node) is None and node.op == "call_function":
        sources = operands(node)
        if len(sources) != 1:
            return None
        if isinstance(key := node.args[1] if len(node.args) > 1 else None, int):
            part = key
        node = sources[0]
    return part


def output_node(graph: fx.Graph) -> fx.Node:
    return next(n for n in reversed(graph.nodes) if n.op == "output")


def set_output_paths(graph: fx.Graph, paths: Mapping[str, tuple[Any, ...]]) -> None:
    output_node(graph).meta[_PATHS] = dict(paths)


def output_paths(graph: fx.Graph) -> dict[str, tuple[Any, ...]]:
    """Name of every output to the keys that lead to it in what the model returns.

    Raises QflowError QF227 for a graph that lost them.
    """
    found: dict[str, tuple[Any, ...]] | None = output_node(graph).meta.get(_PATHS)
    if found is None:
        raise fail(
            Diagnostic(
                "QF227",
                "the graph no longer says what its calls are: it was pickled, or built anew by fx",
                help="keep `state_dict()` instead of the model: prepare the float model again, and "
                "load it",
            )
        )
    return found


def output_names(graph: fx.Graph) -> tuple[str, ...]:
    """Names of the outputs, in declared order."""
    return tuple(output_paths(graph))
