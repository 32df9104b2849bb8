"""add: of two tensors on CV18xx; one rounding for the sum."""

from __future__ import annotations

from qflow.emulation.ops.add import Add as General
from qflow.emulation.own.sophgo_q31._joint import Joint


class Add(Joint, General):
    pass
