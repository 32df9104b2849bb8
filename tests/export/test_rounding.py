"""A model that is set to another rounding than its march's: the integers are those it computes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.export import IntegerModel, export
from qflow.export._model.finished import Finished
from qflow.export.onnx import Onnx
from qflow.quantization import DeQuantStub, FakeQuantState, QuantStub, prepare, set_fake_quantize
from qflow.quantization.fake_quantize import FakeQuantize, set_rounding
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.qconfig import QConfig
from tests.export.graphs import export as block


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.linear = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.linear(self.quant(x)))


TIES = torch.tensor([[0.5, 1.5, -0.5, -1.5, 2.5]])


def integer(rounding: str) -> tuple[nn.Module, IntegerModel]:
    """Scales 1: every value and every weight lies between two integers."""
    net = Net()
    with torch.no_grad():
        net.linear.weight.copy_(TIES.expand(3, 5))
        net.linear.bias.copy_(torch.tensor([0.5, 1.5, -2.5]))
    whole = FakeQuantize.with_args(observer=Fixed(1.0))
    model = prepare(net, TIES, QConfig(whole, whole), march="nash-m", out_dir=None).eval()
    set_rounding(model, rounding)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model, export(model, TIES)


@pytest.mark.parametrize(
    ("rounding", "expected", "bias"),
    [
        ("half_even", [0, 2, 0, -2, 2], [0, 2, -2]),
        ("half_up", [1, 2, 0, -1, 3], [1, 2, -2]),
        ("half_away", [1, 2, -1, -2, 3], [1, 2, -3]),
    ],
)
def test_integers_are_rounded_as_the_model_rounds(rounding, expected, bias) -> None:
    model, found = integer(rounding)
    weight = found.graph.constants["linear.weight"]
    assert weight.tolist() == [expected] * 3
    assert found.graph.constants["linear.bias"].tolist() == bias
    dot = int(np.dot(expected, expected))
    assert found.run_integer(TIES).tolist() == [[dot + b for b in bias]]
    said = [note for note in found.notes if "rounds" in note]
    assert bool(said) == (rounding != "half_even")
    if said:
        assert said[0] == f"quant: rounds {rounding} as in training, and nash-m half_even"
    assert model.linear.weight_fake_quant(model.linear.weight)[0].tolist() == expected


def test_a_format_that_rounds_in_one_way_refuses_another(tmp_path: Path) -> None:
    _, found = integer("half_up")
    with pytest.raises(QflowError, match="QF502: `quant` rounds half_up"):
        Onnx().write(Finished(found.graph), block(), tmp_path / "model.onnx")
    Onnx().write(Finished(integer("half_even")[1].graph), block(), tmp_path / "model.onnx")
