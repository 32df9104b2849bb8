"""islands: operators that stay float between a dequantize and a quantize of the integer graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic
from qflow.emulation.graph import TensorType
from qflow.emulation.op import Op, Unsupported, op
from qflow.emulation.rounding import to_grid
from qflow.emulation.steps.island import OP, runs_on_floats

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.march import March
    from qflow.quantization.prepared import PreparedNode

BOUNDARY = "boundary"
_PLAIN = (bool, int, float, str)


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
    place = _floats(node, build)
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


def _floats(node: PreparedNode, build: Builder) -> str:
    """Id of what the operator gives, with the residual and the activation that are fused to it."""
    operands = tuple(_as_float(node, build, i) for i in range(len(node.inputs)))
    attributes = {OP: node.op, **_attributes(node)}
    weights = {"weight": _weight(node, build), "bias": node.bias}
    constants = {r: a.astype(np.float32) for r, a in weights.items() if a is not None}
    output = TensorType("float32", node.shape, layout=_layout(node.shape))
    own, residual = (operands[:-1], operands[-1:]) if node.residual else (operands, ())
    place = f"{node.id}.island"
    build.emit(node, "island", own, output, attributes, constants, id=place)
    behind = [("add", residual)] if residual else []
    behind += [(node.activation, ())] if node.activation is not None else []
    for name, others in behind:
        operands, place = (place, *others), f"{place}.{name}"
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
        if not all(isinstance(v, _PLAIN) for v in values) or name == OP:
            raise Unsupported(f"its attribute `{name}` = {value!r} has no place in a file")
    return kept


def _layout(shape: tuple[int, ...]) -> str:
    return "nchw" if len(shape) == 4 else ""
