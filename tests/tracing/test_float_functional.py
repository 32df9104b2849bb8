"""FloatFunctional: its methods are calls at its own address, of torch's class and of ours."""

import copy

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.plan import fusion
from qflow.tracing import fuse, trace_call
from tests.tracing.models import image, with_statistics

METHODS = ("symbolic", "example")
FloatFunctional = torch.ao.nn.quantized.FloatFunctional


class Skips(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        self.skip = FloatFunctional()
        self.gate = FloatFunctional()
        self.join = FloatFunctional()
        self.inner = nn.Module()
        self.inner.last = FloatFunctional()
        self.shift = FloatFunctional()

    def forward(self, image: Tensor) -> Tensor:
        x = self.skip.add(self.conv(image), image)
        x = self.gate.mul(x, self.shift.add_scalar(image, 2.0))
        x = self.join.cat([x, image], 1)
        return self.inner.last.add_relu(x, x)


@pytest.mark.parametrize("method", METHODS)
def test_methods_have_the_address_of_their_module(method: str) -> None:
    model = with_statistics(Skips())
    found = trace_call(model, (image(),), method=method, stubs=False)
    assert [(m.address, m.op) for m in found.inventory.modules][2:-1] == [
        ("skip", "add"),
        ("shift", "add"),
        ("gate", "mul"),
        ("join", "cat"),
        ("inner.last", "add"),
        ("_generated_relu_0", "relu"),
    ]
    module = copy.deepcopy(found.module)
    with torch.no_grad():
        assert torch.equal(module(image(3)), model(image(3)))
    assert "add" not in vars(model.skip)


def test_a_fusion_lives_at_it() -> None:
    found = trace_call(with_statistics(Skips()), (image(),), stubs=False)
    (only,) = fusion.find(found.inventory, ("int8",), lambda _: "int8")
    assert (only.at, only.members) == ("skip", ("conv", "skip"))
    module = fuse(found, (only,))
    with torch.no_grad():
        torch.testing.assert_close(module(image()), with_statistics(Skips())(image()))


@pytest.mark.parametrize("method", METHODS)
def test_one_that_is_used_again_is_shared(method: str) -> None:
    class Again(Skips):
        def forward(self, image: Tensor) -> Tensor:
            return self.skip.add(self.skip.add(image, image), image)

    found = trace_call(Again(), (image(),), method=method).inventory
    assert found.by_address["skip"].calls == 2


@pytest.mark.parametrize("method", METHODS)
def test_one_that_is_used_for_two_operators_is_refused(method: str) -> None:
    class Both(Skips):
        def forward(self, image: Tensor) -> Tensor:
            return self.skip.mul(self.skip.add(image, image), image)

    with pytest.raises(
        QflowError, match="QF229: the FloatFunctional `skip` is used for add and mul"
    ):
        trace_call(Both(), (image(),), method=method)
