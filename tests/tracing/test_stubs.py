"""Stubs for a model without any, constants between the stubs, and what stays outside."""

import pytest
import torch
from torch import Tensor, nn

from qflow.quantization import DeQuantStub, QuantStub
from qflow.tracing import Traced, trace_call
from tests.tracing.models import SmallNet, image, with_statistics


@pytest.fixture(params=["symbolic", "example"])
def method(request: pytest.FixtureRequest) -> str:
    return request.param


def traced(model: nn.Module, method: str, *args: object) -> Traced:
    return trace_call(model.eval(), args or (image(),), method=method)


def test_inputs_and_outputs_are_the_boundary_of_a_model_without_stubs(method: str) -> None:
    class Two(nn.Module):
        def forward(
            self, a: Tensor, b: Tensor, ids: Tensor
        ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
            return a + b, a, (a * b).argmax(-1), ids + 1

    args = (image(), image(seed=2), torch.arange(3))
    found = traced(Two(), method, *args)
    sources = found.inventory.sources
    assert sources["_generated_quant_0"] == ("a",)
    assert sources["_generated_quant_1"] == ("b",)
    assert sources["_generated_add_0"] == ("_generated_quant_0", "_generated_quant_1")
    assert sources["_generated_dequant_0"] == ("_generated_add_0",)
    # a tensor that is handed on, and whole numbers, get none
    assert sources["output.output_1"] == ("a",)
    assert sources["output.output_2"] == ("_generated_argmax_0",)
    assert [m.op for m in found.inventory.modules].count("dequant") == 1
    for wanted, result in zip(Two()(*args), found.module(*args), strict=True):
        assert torch.equal(wanted, result)
    (note,) = found.notes
    assert (note.code, note.severity) == ("QF225", "note")
    assert note.notes == ("tensors that enter: 2, that leave: 1",)


def test_a_model_with_any_stub_keeps_what_it_has(method: str) -> None:
    assert traced(SmallNet(), method).notes == ()

    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.quant = QuantStub()

        def forward(self, x: Tensor) -> Tensor:
            return self.quant(x) + x

    found = traced(Half(), method)
    assert "_generated_quant_0" not in found.inventory.by_address
    assert found.notes == ()


def test_no_stubs_when_nobody_asks_for_them() -> None:
    model = nn.Sequential(nn.ReLU())
    found = trace_call(model, (image(),), stubs=False)
    assert [m.op for m in found.inventory.modules] == ["input", "relu", "output"]


def test_whole_numbers_that_become_floats_enter_there(method: str) -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(5, 4)
            self.fc = nn.Linear(4, 2)

        def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
            return self.fc(self.words(ids)) * mask.float()[..., None]

    ids = torch.tensor([[1, 2, 3]])
    found = traced(Words(), method, ids, ids > 1)
    sources = found.inventory.sources
    assert sources["_generated_quant_0"] == ("words",)
    assert sources["fc"] == ("_generated_quant_0",)
    assert found.inventory.by_address["_generated_quant_1"].shape == (1, 3)


class Constants(nn.Module):
    """A position, a made-up tensor and a scalar between the stubs; others outside of them."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.block = nn.Sequential(Offset(), Offset())
        self.mean = nn.Parameter(torch.full((1, 1, 8, 8), 0.5))
        self.register_buffer("table", torch.randn(64, 8))

    def forward(self, image: Tensor) -> Tensor:
        x = self.quant((image - self.mean) / 2)
        grid = torch.arange(x.shape[-1], device=x.device).float() * 0.1 + self.table[0]
        x = self.block(x + grid) + x * grid + x.new_zeros(8)
        x = x.masked_fill(torch.ones(8, 8, dtype=torch.bool).tril(), 0.0)
        return self.dequant(x) * self.mean


class Offset(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.randn(1, 1, 8, 8))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.offset


def test_float_constants_between_the_stubs_are_calls() -> None:
    model = with_statistics(Constants())
    found = traced(model, "example")
    constants = [a for a, m in found.inventory.by_address.items() if m.op == "constant"]
    assert constants == [
        "_generated_constant_0",
        "block.0._generated_constant_0",
        "block.1._generated_constant_0",
        "_generated_constant_1",
    ]
    sources = found.inventory.sources
    # read twice by one owner, it is one constant
    assert sources["_generated_add_0"] == ("quant", "_generated_constant_0")
    assert sources["_generated_mul_0"] == ("quant", "_generated_constant_0")
    assert found.inventory.by_address["block.0._generated_add_0"].op == "add"
    # outside the stubs everything stays as it is
    assert sources["_generated_sub_0"] == ("image",)
    assert found.inventory.by_address["_generated_sub_0"].op == "unknown"
    assert {"mean", "table", "block.0.offset"} <= set(found.module.state_dict())
    for size in (2, 5):
        with torch.no_grad():
            assert torch.equal(found.module(image(size)), model(image(size)))


def test_parameters_alone_are_constants_to_a_symbolic_trace_as_well() -> None:
    model = nn.Sequential(QuantStub(), Offset(), DeQuantStub())
    by_method = [traced(model, m).inventory for m in ("symbolic", "example")]
    assert by_method[0] == by_method[1]
    assert by_method[0].sources["1._generated_add_0"] == ("0", "1._generated_constant_0")


def test_a_constant_that_is_returned_is_left_alone(method: str) -> None:
    class Anchors(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.anchors = nn.Parameter(torch.ones(3))

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x + 1, self.anchors

    found = traced(Anchors(), method)
    assert [m.op for m in found.inventory.modules].count("dequant") == 1
    assert torch.equal(found.module(image())[1], torch.ones(3))
