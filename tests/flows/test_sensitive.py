"""Sensitivity tables of two outputs at ratio 0.2, chained before the default."""

from math import ceil

import torch
from torch import Tensor, nn

from qflow.dtype import qint16
from qflow.quantization import DeQuantStub, QuantStub, prepare
from qflow.quantization.qconfig_template import (
    default_calibration_qconfig_setter,
    sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter,
)

ROWS_0 = [
    ["conv1", "activation", "Conv2d", 0.9, "qint8"],
    ["conv3", "weight", "Conv2d", 0.8, "qint8"],
    ["conv2", "activation", "Conv2d", 0.7, "qint8"],
    ["conv0", "activation", "Conv2d", 0.6, "qint8"],
    ["quant", "activation", "QuantStub", 0.5, "qint8"],
    ["conv4", "activation", "Conv2d", 0.4, "qint8"],
]
ROWS_1 = [["conv4", "activation", "Conv2d", 3.0], ["conv0", "activation", "Conv2d", 2.0]]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        for i in range(5):
            setattr(self, f"conv{i}", nn.Conv2d(3, 3, 1))
        self.out0 = nn.Conv2d(3, 1, 1)
        self.out1 = nn.Conv2d(3, 1, 1)
        self.dequant0 = DeQuantStub()
        self.dequant1 = DeQuantStub()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.quant(x)
        for i in range(5):
            x = getattr(self, f"conv{i}")(x)
        return self.dequant0(self.out0(x)), self.dequant1(self.out1(x))


def test_the_most_sensitive_of_each_table_are_int16() -> None:
    setters = (
        sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter(ROWS_0, ratio=0.2),
        sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter(ROWS_1, ratio=0.2),
        default_calibration_qconfig_setter,
    )
    model = prepare(Net(), (torch.randn(1, 3, 4, 4),), setters)
    wide = {
        name
        for name, module in model.named_children()
        if getattr(getattr(module, "activation_post_process", None), "dtype", None) == qint16
    }
    assert ceil(6 * 0.2) == 2
    # of the first two rows one is a weight: cut first, then filter
    assert wide == {"conv1", "conv4"}
