"""relu: on its own, without a gemm before it: a clamp and a rescale to its own grid."""

from __future__ import annotations

from qflow.export._onnx.ops.rescale import Rescale


class Relu(Rescale):
    pass
