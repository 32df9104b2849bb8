"""flatten: a Reshape, whichever axes become one."""

from __future__ import annotations

from qflow.export._onnx.ops.reshape import Reshape


class Flatten(Reshape):
    pass
