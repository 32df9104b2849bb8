"""add: each operand rescaled by 8 bits and rounded by itself."""

from __future__ import annotations

from qflow.emulation.ops import add as general
from qflow.emulation.own.sophgo_mul32._sum import Sum


class Add(Sum, general.Add):
    """Two tensors, a tensor and a constant tensor, or a tensor and a number."""
