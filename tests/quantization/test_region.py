"""What a float tensor keeps from being quantized, although it lies between the stubs, is said."""

import pytest
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.quantization import QuantStub, prepare
from qflow.quantization.facts import facts_of
from qflow.quantization.qconfig_template import default_qat_qconfig_setter
from tests.quantization.nets import Stubs, Sum, image


class Joined(Stubs):
    """Another input joins behind a convolution, without a stub of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.dequant(self.b(self.a(self.quant(x)) + y))


def lost(model: nn.Module) -> list[str]:
    made = prepare(model, (image(), image()), default_qat_qconfig_setter, out_dir=None)
    facts = facts_of(made)
    assert facts is not None
    return [
        n.message for n in facts.notes if n.code == "QF253" and "float tensor keeps" in n.message
    ]


def test_what_a_float_tensor_reaches_is_listed() -> None:
    (message,) = lost(Joined())
    assert "`a`, `_generated_add_0`, `b`" in message


def test_stubs_at_every_input_leave_nothing_out() -> None:
    assert lost(Sum()) == []


@pytest.mark.parametrize("scale", ["x", -1.0, 0, float("nan")])
def test_a_stub_whose_scale_is_no_number_above_zero(scale) -> None:
    with pytest.raises(QflowError) as caught:
        QuantStub(scale=scale)
    assert [d.code for d in caught.value.diagnostics] == ["QF111"]
