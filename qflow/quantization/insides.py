"""insides: what a module that stays float and is kept whole computes, as nodes of the record.

To the plan such a module is one address. An integer model has to run it too, so what its `forward`
does is followed here, on shapes alone, and becomes float nodes under that one address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import torch
from torch import fx, nn

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.quantization.attach import is_planned, output_grid
from qflow.quantization.prepared import PreparedGraph, PreparedNode
from qflow.quantization.probing import Probes
from qflow.tracing.call import call_of, is_tensor
from qflow.tracing.traced import Traced, trace_call

UNKNOWN = "unknown"
_STUBS = ("quant", "dequant")
BY_VALUES = "QF226"
"""A decision that the value of a tensor took: on other data the module may do something else."""
Record = Callable[[fx.GraphModule], PreparedGraph]


def is_kept_whole(node: fx.Node) -> bool:
    """Whether a call is that of a module qflow has no operator for, and a plan leaves it float."""
    call = call_of(node)
    if call is None or call.op != UNKNOWN or node.op != "call_module":
        return False
    if not is_planned(node) or output_grid(node).dtype != "float32":
        return False
    # what stands for a function computes nothing else
    return not call.address.rpartition(".")[2].startswith("_generated_")


def of(
    whole: PreparedNode, node: fx.Node, module: nn.Module, probes: Probes, record: Record
) -> Iterator[PreparedNode]:
    """The nodes of a module; what it returns is called as `whole`, the record of its call, is.

    QF502 where it cannot be followed.
    """
    traced = _traced(whole, node, module, probes)
    try:
        inside = record(traced.module)
    except QflowError as error:
        raise _opaque(whole, *(d.message for d in error.diagnostics)) from error
    if len(inside.inputs) != len(whole.inputs):
        raise _opaque(whole, "its operands are not those of its forward")
    made = {n.id: n for n in inside.nodes}
    names = {i: f"{whole.id}.{i}" for i in made}
    names |= dict(zip(inside.inputs, whole.inputs, strict=True))
    for one in (n for n in inside.nodes if n.op != "input"):
        if one.op in _STUBS:
            # between floats it does nothing
            names[one.id] = _renamed(one.inputs[0], names)
            continue
        inputs = tuple(_renamed(i, names) for i in one.inputs)
        yield replace(one, id=names[one.id], address=whole.address, inputs=inputs)
    for k, (_, source) in enumerate(inside.outputs):
        last = made[source.partition(":")[0]]
        yield PreparedNode(
            whole.id if len(inside.outputs) == 1 else f"{whole.id}:{k}",
            whole.address,
            "identity",
            (_renamed(source, names),),
            out_dtype=last.out_dtype,
            shape=last.shape,
            free=last.free,
        )


def _renamed(id: str, names: Mapping[str, str]) -> str:
    """An id, or a part of what it names."""
    one, colon, part = id.partition(":")
    return f"{names[one]}{colon}{part}"


def _traced(whole: PreparedNode, node: fx.Node, module: nn.Module, probes: Probes) -> Traced:
    """The module followed symbolically, or on an example where no value decides anything."""

    def example(argument: fx.Node) -> torch.Tensor:
        shape, dtype = probes.shape(argument), probes.dtype(argument)
        if not is_tensor(argument) or shape is None or dtype is None:
            raise _opaque(whole, f"`{argument.name}`, which it is called with, is no tensor")
        return torch.zeros(shape, dtype=dtype)

    args = fx.map_arg(node.args, example)
    kwargs = fx.map_arg(node.kwargs, example)
    try:
        return trace_call(module, args, kwargs, method="symbolic")
    except QflowError:
        try:
            found = trace_call(module, args, kwargs, method="example")
        except QflowError as error:
            raise _opaque(whole, error.diagnostics[0].message) from error
    if any(note.code == BY_VALUES for note in found.notes):
        raise _opaque(whole, "values of its operands decide what it computes")
    return found


def _opaque(whole: PreparedNode, *why: str) -> QflowError:
    return fail(
        Diagnostic(
            "QF502",
            f"`{whole.address}` stays float, and what it computes cannot be followed",
            notes=why,
            help="move it out of the model: the integer model has to run all of it",
        )
    )
