"""dequant: where integers become float values again."""

from __future__ import annotations

from qflow.emulation.op import Op


class Dequant(Op):
    """No attributes."""

    name = "dequant"
    role = "boundary"
    modules = (
        "qflow.quantization.DeQuantStub",
        "qflow.quantization.stubs.DeQuantStub",
        "torch.ao.quantization.stubs.DeQuantStub",
    )
