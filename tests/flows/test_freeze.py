"""A frozen backbone: bit-identical after quantization-aware training of the head."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from qflow.quantization.qconfig_template import (
    default_calibration_qconfig_setter,
    default_qat_qconfig_setter,
)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 1), nn.ReLU()
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(8, 3)
        self.dequant = DeQuantStub()

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.backbone(self.quant(x))).flatten(1)
        return self.dequant(self.head(x))


def test_the_backbone_stays_as_it_was() -> None:
    torch.manual_seed(0)
    x, target = torch.randn(8, 3, 6, 6), torch.randint(0, 3, (8,))
    net = Net()
    calib = prepare(deepcopy(net), (x,), default_calibration_qconfig_setter)
    calib.eval()
    set_fake_quantize(calib, FakeQuantState.CALIBRATION)
    calib(x)
    qat = prepare(deepcopy(net), (x,), default_qat_qconfig_setter)
    qat.load_state_dict(calib.state_dict())
    for parameter in qat.backbone.parameters():
        parameter.requires_grad = False
    optimizer = torch.optim.SGD(
        [p for p in qat.parameters() if p.requires_grad], lr=0.05, weight_decay=1e-2
    )
    before = deepcopy(qat.state_dict())
    for _ in range(3):
        qat.train()
        set_fake_quantize(qat, FakeQuantState.QAT)
        qat.backbone.eval()
        set_fake_quantize(qat.backbone, FakeQuantState.VALIDATION)
        for _ in range(2):
            optimizer.zero_grad()
            functional.cross_entropy(qat(x), target).backward()
            optimizer.step()
    after = qat.state_dict()
    backbone = [k for k in after if k.startswith("backbone.")]
    assert any(k.endswith("running_mean") for k in backbone)
    assert any(k.endswith("activation_post_process.scale") for k in backbone)
    assert all(torch.equal(before[k], after[k]) for k in backbone)
    assert not torch.equal(before["head.weight"], after["head.weight"])
