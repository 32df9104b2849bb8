"""quant: where float values become integers of the grid."""

from __future__ import annotations

from qflow.emulation.op import Op


class Quant(Op):
    """No attributes."""

    name = "quant"
    role = "boundary"
    modules = (
        "qflow.quantization.QuantStub",
        "qflow.quantization.stubs.QuantStub",
        "torch.ao.quantization.stubs.QuantStub",
    )
