"""P17: int16 asked of a pooling that has none on this march, and int8."""

from dataclasses import replace

from torch import Tensor, nn

from qflow.dtype import qint8, qint16
from qflow.quantization import FakeQuantize, prepare
from tests.lint.pitfalls.by import QCONFIG, Findings, Net, image, model


class Pooled(Net):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Conv2d(4, 4, 1)

    def body(self, x: Tensor) -> Tensor:
        return self.head(self.pool(self.conv(x)))


def wrong() -> Findings:
    return _with(qint16)


def right() -> Findings:
    return _with(qint8)


def _with(dtype: object) -> Findings:
    qconfig = replace(QCONFIG, output=FakeQuantize.with_args(dtype=dtype))
    return model(prepare(Pooled(), (image(),), qconfig, march="nash-m", out_dir=None))
