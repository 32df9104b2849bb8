"""node: one node of an integer graph, its oracle run on traced values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call
from qflow.emulation.runtimes._calls import TO_NCHW as FIRST
from qflow.emulation.runtimes._calls import TO_NHWC as LAST
from qflow.emulation.runtimes._calls import runs_as_nhwc
from qflow.export._onnx_integer import special
from qflow.export._onnx_integer.known import Known
from qflow.export._onnx_integer.tape import Tape
from qflow.export._onnx_integer.traced import Traced

if TYPE_CHECKING:
    from qflow.emulation.graph import TensorType

SUMS = np.dtype(np.int64)
"""What values are between the nodes of an operator."""


def traced(call: Call, operands: Sequence[Traced], tape: Tape) -> Traced:
    """What the node computes, under its own name. Raises Untraceable."""
    node = call.node
    call = replace(call, constants={k: v.view(Known) for k, v in call.constants.items()})
    whole = [x if x.dtype.kind == "f" else tape.cast(x, SUMS) for x in operands]
    oracle = special.RULES.get(node.op)
    found: Any
    if oracle is not None:
        found = oracle(call, tape, *whole)
    elif runs_as_nhwc(call):
        found = call.operator.oracle(call, *[x.transpose(FIRST) for x in whole]).transpose(LAST)
    else:
        found = call.operator.oracle(call, *whole)
    if not isinstance(found, Traced):  # nothing of it depends on an operand
        found = tape.value(np.asarray(found).astype(node.output.dtype))
    return stored(tape, found, node.output, node.id)


def stored(tape: Tape, found: Traced, type_: TensorType, id_: str) -> Traced:
    """The value in the tensor's own dtype, under the node's name."""
    dtype = np.dtype(type_.dtype)
    if found.dtype == dtype:
        return found
    name = tape.builder.step("Cast", [found.name], id_, to=dtype)
    info = np.iinfo(dtype) if dtype.kind in "iu" else None
    known = found.ends
    if info is not None and (known is None or known[0] < info.min or known[1] > info.max):
        known = (int(info.min), int(info.max))
    return Traced(tape, name, dtype, found.shape, known)
