"""A prepared model with its scales known, and one node of a record."""

import torch
from torch import Tensor, nn

from qflow.quantization import (
    FakeQuantState,
    set_fake_quantize,
)
from tests.tracing.models import image


def calibrated(model: nn.Module, *batches: Tensor) -> nn.Module:
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        for x in batches or (image(8),):
            model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


def only(graph, address: str):
    (node,) = [n for n in graph.nodes if n.address == address]
    return node
