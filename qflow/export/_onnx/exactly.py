"""exactly: operators that QDQ floats have no form of, in the integer operators of the exact export.

So tables, softmax and norms are qflow's own integers in the middle of a QDQ graph, and run in every
ONNX runtime of opset 18.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.emulation.op import Unsupported
from qflow.emulation.profile import profile
from qflow.emulation.runtimes._calls import call_of
from qflow.export._onnx.builder import Value
from qflow.export._onnx_integer.legal import FIRST_OPSET
from qflow.export._onnx_integer.node import traced
from qflow.export._onnx_integer.tape import Tape
from qflow.export._onnx_integer.traced import Traced, Untraceable
from qflow.export._shapes import shapes_of

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph, Node
    from qflow.export._onnx.builder import Builder


@dataclass
class Whole:
    graph: IntegerGraph
    builder: Builder
    count: int
    """Samples it is traced with."""
    opset: int
    nodes: list[str] = field(default_factory=list)
    """Ids of what was written so."""

    @cached_property
    def tape(self) -> Tape:
        return Tape(self.builder)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return shapes_of(self.graph, self.count)

    def moves_the_batch(self, node: Node) -> bool:
        """Whether the batch is in another axis than the first, before it or behind it."""
        try:
            pairs = [(self.shapes[i], self._more[i]) for i in (node.id, *node.inputs)]
        except Unsupported:  # another node is no operator that could run; it says so itself
            return False
        return any(a[1:] != b[1:] for a, b in pairs)

    @cached_property
    def _more(self) -> dict[str, tuple[int, ...]]:
        """Shapes with one sample more."""
        return shapes_of(self.graph, self.count + 1)

    def emit(self, node: Node) -> None:
        """Append what stands for the node and set its value. Raises QflowError QF502."""
        if self.opset < FIRST_OPSET:
            raise _refused(node, f"in integers it needs opset {FIRST_OPSET}")
        self.tape.at = node.id
        call = call_of(self.graph, node, profile(self.graph.profile))
        try:
            found = traced(call, [self._operand(i) for i in node.inputs], self.tape)
        except (Untraceable, Unsupported) as why:
            raise _refused(node, str(why)) from None
        self.nodes.append(node.id)
        is_real = node.output.dtype == "float32"
        integer, real = (None, found.name) if is_real else (found.name, None)
        self.builder.values[node.id] = Value(node.output, integer=integer, real=real)

    def _operand(self, id_: str) -> Traced:
        id_ = self.builder.same.get(id_, id_)
        value = self.builder.values[id_]
        type_ = value.type
        if type_.dtype == "float32" or value.integer is None:
            name, dtype, ends = self.builder.real(id_), np.dtype(np.float32), None
        else:
            name, dtype = value.integer, np.dtype(type_.dtype)
            info = np.iinfo(dtype)
            ends = int(info.min), int(info.max)
        return Traced(self.tape, name, dtype, self.shapes[id_], ends)


def _refused(node: Node, why: str) -> QflowError:
    return fail(
        Diagnostic(
            "QF502",
            f"the ONNX export does not know the operator `{node.op}` of `{node.address}`",
            notes=(why,),
            help="leave this export out",
        )
    )
