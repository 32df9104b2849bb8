"""A tensor times a number: what mul, div and neg become on BM1684."""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.op import Unsupported
from qflow.emulation.own.sophgo_shift8.affine import emit_affine
from qflow.emulation.sophgo import shift8
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.reading import source_scale
from qflow.quantization.prepared import PreparedNode


def lower_factor(node: PreparedNode, build: Builder, factor: float) -> None:
    """Emit the node. Raises Unsupported."""
    if factor == 0 or factor != factor or abs(factor) == float("inf"):
        raise Unsupported(f"a factor of {factor}: it must be a number other than 0")
    multiplier, shift = shift8.addend(source_scale(node, 0), target_scale(node), factor)
    emit_affine(node, build, multiplier, shift)
