"""dynamic_block: one call-site is one module, in a scope of its own, fused with nothing outside."""

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.plan import fusion
from qflow.tracing import Traced, dump, dynamic_block, trace_call
from tests.tracing.models import image
from tests.tracing.wrapped_models import Refines


@pytest.fixture(params=["symbolic", "example"])
def method(request: pytest.FixtureRequest) -> str:
    return request.param


def traced(model: nn.Module, method: str) -> Traced:
    return trace_call(model.eval(), (image(),), method=method, stubs=False)


def test_one_call_site_is_one_module_however_often_it_runs(method: str) -> None:
    one, three = (traced(Refines(n), method) for n in (1, 3))
    inside = [
        "refine._generated_relu_0",
        "refine._generated_add_0",
        "refine._generated_mul_0",
        "refine._generated_add_1",
        "refine._generated_add_2",
    ]
    for found, times in ((one, 1), (three, 3)):
        by_address = found.inventory.by_address
        assert [a for a in by_address if a.startswith("refine")] == inside
        assert {by_address[a].calls for a in inside} == {times}
        assert {by_address[a].scope for a in inside} == {"refine"}
    # so what one trace found fits the other
    assert set(one.module.state_dict()) == set(three.module.state_dict())
    assert [m.address for m in one.inventory.modules] == [
        m.address for m in three.inventory.modules
    ]
    model = Refines(3).eval()
    found = traced(model, method)
    with torch.no_grad():
        assert torch.equal(found.module(image(4)), model(image(4)))


def test_without_a_block_every_call_is_a_module(method: str) -> None:
    class Plain(Refines):
        def forward(self, image: Tensor) -> Tensor:
            for _ in range(3):
                image = image + 1
            return image

    names = [m.address for m in traced(Plain(1), method).inventory.modules]
    assert names[1:4] == [f"_generated_add_{i}" for i in range(3)]


def test_a_block_without_a_name_is_numbered(method: str) -> None:
    found = traced(Refines(2, named=False), method).inventory.by_address
    assert found["_dynamic_block_0._generated_mul_0"].calls == 2
    assert not any(a.startswith("_dynamic_block_1") for a in found)


def test_nothing_in_a_block_is_fused_with_what_lies_outside(method: str) -> None:
    class Once(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.other = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1)
            self.relu = nn.ReLU()

        def forward(self, image: Tensor) -> Tensor:
            x = self.conv(image)
            with dynamic_block(self, "step"):
                x = torch.relu(x)
                x = torch.relu(self.other(x))
            return self.relu(x)

    inventory = traced(Once(), method).inventory
    (only,) = fusion.find(inventory, ("int8",), lambda _: "int8")
    assert only.members == ("other", "step._generated_relu_1")


def test_submodules_in_a_block_share_by_call_site_too(method: str) -> None:
    class Layer(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * 2 + x

    class Loops(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = Layer()

        def forward(self, image: Tensor) -> Tensor:
            for _ in range(3):
                with dynamic_block(self, "steps"):
                    image = self.layer(image)
            return image

    found = traced(Loops(), method).inventory.by_address
    assert found["layer._generated_mul_0"].calls == 3
    assert [a for a in found if "_1" in a] == []


def test_the_dump_shows_scopes(method: str) -> None:
    text = dump(traced(Refines(2), method))
    assert text.count("scope refine\n") == text.count("scope_end refine\n") == 1
    assert "mul  refine._generated_mul_0#1  " in text


@pytest.mark.parametrize("name", ["", "a.b", "conv", "forward"])
def test_a_name_that_cannot_be_one(name: str, method: str) -> None:
    class Named(Refines):
        def block(self):
            return dynamic_block(self, name)

    with pytest.raises(QflowError, match="QF228"):
        traced(Named(1), method)


def test_outside_of_a_trace_it_does_nothing() -> None:
    with dynamic_block(), dynamic_block(nn.ReLU(), "any.thing"):
        assert True
