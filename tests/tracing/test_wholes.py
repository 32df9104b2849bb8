"""What a wrapped call returns stays one value, so that training may return something else."""

import pytest
import torch
from torch import Tensor, nn

from qflow.tracing import trace_call, wrap


@wrap()
def halves(x: Tensor) -> tuple[Tensor, Tensor]:
    return x / 2, x / 2


@wrap()
class Losses(nn.Module):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        if self.training:
            return {"loss": x.sum(), "norm": x.norm()}
        return {"boxes": x + 1}


@wrap()
class Report(nn.Module):
    def forward(self, found: dict[str, Tensor]) -> dict[str, Tensor]:
        return {f"{name}_again": x for name, x in found.items()}


class Detector(nn.Module):
    def __init__(self, change: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)
        self.losses = Losses()
        self.report = Report()
        self.change = change

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        found = self.losses(self.conv(x))
        if self.change:
            found["more"] = found["boxes"] * 2
        return self.report(found)


class Picks(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return halves(x)


X = torch.arange(4.0).reshape(1, 1, 2, 2)


@pytest.mark.parametrize("method", ["example", "symbolic"])
def test_training_returns_what_the_wrapped_module_returns_in_training(method: str) -> None:
    model = Detector().eval()
    module = trace_call(model, (X,), method=method).module
    assert torch.equal(module(X)["boxes_again"], model(X)["boxes_again"])
    module.train()
    model.train()
    found, wanted = module(X), model(X)
    assert list(found) == ["loss_again", "norm_again"] == list(wanted)
    assert all(torch.equal(found[k], wanted[k]) for k in wanted)


def test_a_result_that_the_model_changed_is_put_together_as_it_was() -> None:
    model = Detector(change=True).eval()
    module = trace_call(model, (X,)).module
    found, wanted = module(X), model(X)
    assert list(found) == ["boxes_again", "more_again"]
    assert all(torch.equal(found[k], wanted[k]) for k in wanted)


def test_names_for_its_tensors_take_it_apart() -> None:
    named = trace_call(Picks(), (X,), output_names=["left", "right"])
    assert [m.address for m in named.inventory.modules if m.op == "output"] == [
        "output.left",
        "output.right",
    ]
    whole = trace_call(Picks(), (X,))
    assert [m.address for m in whole.inventory.modules if m.op == "output"] == ["output.output"]
    assert all(torch.equal(a, b) for a, b in zip(whole.module(X), Picks()(X), strict=True))
