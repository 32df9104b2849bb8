"""islands: operators that stay float: between a dequantize and a quantize where the march lacks
them, and as far as the plan says where a rule leaves them so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic
from qflow.emulation.graph import TensorType
from qflow.emulation.op import Op, Unsupported, op
from qflow.emulation.rounding import to_grid
from qflow.emulation.steps.island import OP, PART, runs_on_floats

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.march import March
    from qflow.quantization.prepared import PreparedNode

BOUNDARY = "boundary"
FLOAT = "float32"
INDEX = "index"
QUANT, DEQUANT = "quant", "dequant"
ASKED = "it is left float"
_PLAIN = (bool, int, float, str)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def unlisted(node: PreparedNode, operator: Op, march: March) -> str:
    """What the march says of an operator it does not list; empty where it lists it.

    What becomes another operator in integers (a colour conversion) is listed as that.
    """
    if operator.role == BOUNDARY or not operator.integer or march.support(node.op) is not None:
        return ""
    known = dict(march.floats).get(node.op)
    return f"{march.name} does not list it" + (f": {known}" if known else "")


def lower(node: PreparedNode, build: Builder, why: str) -> None:
    """Dequantize its operands, run it on floats, quantize what comes out; a note says why.

    Raises Unsupported where it has no float form in NumPy either.
    """
    if not runs_on_floats(node.op):
        raise Unsupported(why)
    if not node.shape:
        raise Unsupported("it makes one number of all samples: a tensor of the graph has axes")
    place = _floats(node, build, f"{node.id}.island")
    # as a quant stub does it, by the profile's own rule where it has one
    stub = replace(node, op="quant", inputs=(place,), input_grids=(), activation=None)
    op("quant", build.profile.own).lower(stub, build)
    build.notes.append(f"{node.id}: a float island for `{node.op}`: {why}")
    build.diagnostics.append(
        Diagnostic(
            "QF520",
            f"`{node.address}` ({node.op}) stays float, between a dequantize and a quantize",
            notes=(why,),
            help="replace it by an operator of the march, or move it out of the quantized part",
            severity="warning",
        )
    )


def is_left_float(node: PreparedNode, build: Builder) -> bool:
    """Whether the plan has the node compute on floats: it gives no integers of a grid, and what
    picks places among floats has them as operands."""
    reads_floats = any(build.types[i].dtype == FLOAT for i in node.inputs)
    if node.op == DEQUANT:
        return reads_floats
    if node.out_dtype == FLOAT:
        return True
    return node.out_dtype == INDEX and node.op != "constant" and reads_floats


def leave(node: PreparedNode, build: Builder) -> None:
    """A node the plan leaves float: it reads floats and gives floats, rounded nowhere. Raises
    Unsupported where it has no float form in NumPy."""
    operator = op(node.op)
    if node.op in (QUANT, DEQUANT):
        # a stub that has nothing to do
        _emit(replace(node, op="identity", attributes={}), build, node.id)
        return
    if not runs_on_floats(node.op):
        raise Unsupported("qflow has no float form of it")
    if not node.shape:
        raise Unsupported("it makes one number of all samples: a tensor of the graph has axes")
    if node.op != "constant":
        build.notes.append(f"{node.id}: a float island for `{node.op}`: {ASKED}")
    parts = _parts(node, build)
    if not parts:
        _floats(node, build, node.id)
        return
    for k, shape in enumerate(parts):
        whole = k == operator.index_part
        part = replace(node, shape=shape, out_dtype=INDEX if whole else FLOAT)
        _emit(part, build, f"{node.id}:{k}", {PART: k})


def _parts(node: PreparedNode, build: Builder) -> tuple[tuple[int, ...], ...]:
    """Shapes of what an operator with several results gives; none of one that gives a tensor."""
    if op(node.op).role != "shape" and op(node.op).index_part is None:
        return ()
    blank = [np.zeros(build.types[i].shape) for i in node.inputs]
    result = op(node.op).real(dict(node.attributes), *blank)
    return tuple(p.shape for p in result) if isinstance(result, tuple) else ()


def _emit(
    node: PreparedNode, build: Builder, id: str, attributes: Mapping[str, Any] = _NOTHING
) -> str:
    """An island of the node alone, without what is fused to it."""
    operands = tuple(_as_float(node, build, i) for i in range(len(node.inputs)))
    dtype = "int32" if node.out_dtype == INDEX else FLOAT
    output = TensorType(dtype, node.shape, layout=_layout(node.shape))
    given = {OP: node.op, **_attributes(node), **attributes}
    return build.emit(node, "island", operands, output, given, id=id)


def _floats(node: PreparedNode, build: Builder, last: str) -> str:
    """Id of what the operator gives, with the residual and the activation that are fused to it:
    `last`, where nothing is fused."""
    operands = tuple(_as_float(node, build, i) for i in range(len(node.inputs)))
    attributes = {OP: node.op, **_attributes(node)}
    weights = {"weight": _weight(node, build), "bias": node.bias}
    constants = {r: a.astype(np.float32) for r, a in weights.items() if a is not None}
    dtype = "int32" if node.out_dtype == INDEX else FLOAT
    output = TensorType(dtype, node.shape, layout=_layout(node.shape))
    own, residual = (operands[:-1], operands[-1:]) if node.residual else (operands, ())
    behind = [("add", residual)] if residual else []
    behind += [(node.activation, ())] if node.activation is not None else []
    place = f"{node.id}.island" if behind else last
    build.emit(node, "island", own, output, attributes, constants, id=place)
    for i, (name, others) in enumerate(behind):
        operands = (place, *others)
        ends = i == len(behind) - 1 and last == node.id
        place = last if ends else f"{place}.{name}"
        build.emit(node, "island", operands, output, {OP: name}, id=place)
    return place


def _as_float(node: PreparedNode, build: Builder, index: int) -> str:
    name = node.inputs[index]
    source = build.types[name]
    if source.scale is None:
        return name
    output = TensorType("float32", source.shape, layout=source.layout)
    place = f"{name}.float"
    if place in build.types:
        return place
    return build.emit(replace(node, id=place), "dequantize", (name,), output)


def _weight(node: PreparedNode, build: Builder) -> np.ndarray | None:
    """As the fake-quantized model uses it: on its grid, where it has one."""
    grid = node.weight_grid
    if node.weight is None or grid is None:
        return node.weight
    view = [1] * node.weight.ndim
    view[grid.axis or 0] = -1
    step = grid.scale.reshape(view)
    rounding, dtype = build.rounding(node, grid), grid.dtype
    return to_grid(node.weight, step, rounding, dtype.qmin, dtype.qmax) * step


def _attributes(node: PreparedNode) -> dict[str, Any]:
    """As a file can hold them. Raises Unsupported."""
    kept = {k: v for k, v in node.attributes.items() if v is not None}
    for name, value in kept.items():
        values = value if isinstance(value, tuple) else (value,)
        if not all(isinstance(v, _PLAIN) for v in values) or name in (OP, PART):
            raise Unsupported(f"its attribute `{name}` = {value!r} has no place in a file")
    return kept


def _layout(shape: tuple[int, ...]) -> str:
    return "nchw" if len(shape) == 4 else ""
