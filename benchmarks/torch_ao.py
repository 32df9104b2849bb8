"""torch_ao: the fake-quantized simulation of torch.ao, as its users validate with it.

`prepare_qat_fx` over the float model with its batch norms folded by `fuse_fx`; weights per channel,
activations per tensor, observers off and fake-quantizers on. Its own modules of a convolution with
its batch norm, which undo the fold behind every convolution, would only be slower.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from torch.ao.quantization import QConfigMapping


def fake_quantized(model: nn.Module, images: Tensor) -> nn.Module:
    """The model, in eval mode, calibrated on float32 images [N, C, H, W].

    Raises ImportError where torch.ao.quantization is no longer a part of torch.
    """
    from torch.ao.quantization import disable_observer, enable_fake_quant
    from torch.ao.quantization.quantize_fx import fuse_fx, prepare_qat_fx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is deprecated is known
        folded = fuse_fx(model.eval()).train()
        prepared = prepare_qat_fx(folded, everywhere(), (images[:1],)).eval()
    with torch.no_grad():
        prepared(images)
    return prepared.apply(disable_observer).apply(enable_fake_quant)


def everywhere() -> QConfigMapping:
    """The default of torch.ao for training, on all 8 bits where its own takes 7 on x86."""
    from torch.ao.quantization import (
        FusedMovingAvgObsFakeQuantize,
        MovingAverageMinMaxObserver,
        MovingAveragePerChannelMinMaxObserver,
        QConfig,
        QConfigMapping,
    )

    activation = FusedMovingAvgObsFakeQuantize.with_args(
        observer=MovingAverageMinMaxObserver, quant_min=0, quant_max=255, dtype=torch.quint8
    )
    weight = FusedMovingAvgObsFakeQuantize.with_args(
        observer=MovingAveragePerChannelMinMaxObserver,
        quant_min=-128,
        quant_max=127,
        dtype=torch.qint8,
        qscheme=torch.per_channel_symmetric,
    )
    return QConfigMapping().set_global(QConfig(activation, weight))
