"""unknown_scales: which scales of a prepared model are not known."""

from __future__ import annotations

from torch import nn

from qflow.quantization.fake_quantize import FakeQuantize


def unobserved(prepared: nn.Module) -> tuple[str, ...]:
    """Addresses with a fake-quantizer, of weight or output, that no data ever reached; sorted."""
    found = {
        path.rpartition(".")[0]
        for path, module in prepared.named_modules()
        if isinstance(module, FakeQuantize) and not module.observed
    }
    return tuple(sorted(found))
