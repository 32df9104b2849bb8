"""A wrapped post-process that branches on `self.training`, with a module inside it."""

import torch
from torch import Tensor, nn

from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from qflow.quantization.qconfig_template import default_calibration_qconfig_setter
from qflow.tracing import wrap


class Detector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.scores = nn.Conv2d(8, 2, 1)
        self.boxes = nn.Conv2d(8, 4, 1)
        self.dequant = DeQuantStub()
        self.dequant2 = DeQuantStub()

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = torch.relu(self.conv(self.quant(x)))
        return self.post(self.dequant(self.scores(x)), self.dequant2(self.boxes(x)))

    @wrap()
    def post(self, scores: Tensor, boxes: Tensor) -> dict[str, Tensor]:
        if self.training:
            return {"scores": scores, "boxes": boxes}
        best = scores.flatten(2).softmax(1)
        keep = best[:, 1] > 0.5
        return {"scores": best[:, 1][keep], "boxes": boxes.flatten(2).mT[keep]}


class WithNeck(nn.Module):
    """A wrapped method that calls a module: it is quantized all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.conv = nn.Conv2d(3, 4, 1)
        self.dequant = DeQuantStub()

    @wrap()
    def body(self, x: Tensor) -> Tensor:
        return self.conv(x) if x.sum() > -1e9 else x

    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.body(self.quant(x)))


def test_both_branches_stay_alive() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 8, 8)
    model = prepare(Detector(), (x,), default_calibration_qconfig_setter)
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    found = model(x)
    assert found["boxes"].shape[0] == found["scores"].shape[0]
    assert 0 < found["scores"].numel() < 2 * 64
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    assert model(x)["boxes"].shape == (2, 4, 8, 8)


def test_a_module_inside_a_wrapped_method_is_quantized() -> None:
    x = torch.randn(2, 3, 8, 8)
    model = prepare(WithNeck(), (x,), default_calibration_qconfig_setter)
    assert "conv.weight_fake_quant.scale" in model.state_dict()
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    assert not torch.any(model.state_dict()["conv.weight_fake_quant.scale"] == 1)
