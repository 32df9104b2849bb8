"""A frozen part stays as it is: bit for bit, through train(), optimizers and copies."""

import io
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    QATMode,
    QuantStub,
    freeze,
    frozen,
    prepare,
    set_fake_quantize,
    set_qat_mode,
    unfreeze,
)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.backbone = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Dropout(0.5))
        self.head = nn.Conv2d(4, 2, 1)
        self.dequant = DeQuantStub()
        self.after = nn.BatchNorm2d(2)

    def forward(self, image: Tensor) -> Tensor:
        return self.after(self.dequant(self.head(self.backbone(self.quant(image)))))


def calibrated() -> nn.Module:
    torch.manual_seed(0)
    model = prepare(Net(), {"image": torch.randn(2, 1, 6, 6)})
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(image=torch.randn(8, 1, 6, 6))
    return model


def trained(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 3) -> nn.Module:
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    for step in range(steps):
        torch.manual_seed(step)
        model.train()
        optimizer.zero_grad()
        (model(image=4 * torch.randn(8, 1, 6, 6)) ** 2).mean().backward()
        optimizer.step()
    return model


def momentum(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)


def state(model: nn.Module, prefix: str) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in model.state_dict().items() if k.startswith(prefix)}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_a_frozen_backbone_is_bit_identical_after_training_of_the_head() -> None:
    model = calibrated()
    # the optimizer knows the backbone, has momentum for it and would decay it
    optimizer = momentum(model)
    trained(model, optimizer)
    freeze(model.backbone)
    before, head = state(model, "backbone."), state(model, "head.")
    trained(model, optimizer)
    assert same(state(model, "backbone."), before)
    assert not same(state(model, "head."), head)


def test_without_a_freeze_everything_moves() -> None:
    model = calibrated()
    before = state(model, "")
    trained(model, momentum(model))
    moved = {k for k, v in state(model, "").items() if not torch.equal(v, before[k])}
    assert {"backbone.0.weight", "backbone.0.activation_post_process.scale"} <= moved
    assert {"after.running_mean", "head.weight"} <= moved


@pytest.mark.parametrize("part", ["bn", "weight", "scale"])
def test_each_part_alone(part: str) -> None:
    model = calibrated()
    parts = {"bn": False, "weight": False, "scale": False, part: True}
    freeze(model.backbone, **parts)
    freeze(model.after, **parts)
    before = {k: v for k, v in state(model, "").items() if k.startswith(("backbone.", "after."))}
    trained(model, momentum(model))
    now = state(model, "")
    moved = {k for k, v in before.items() if not torch.equal(v, now[k])}
    kinds = {
        "bn": {k for k in before if k.startswith("after.") and "running" in k},
        "weight": {k for k in before if k.endswith((".weight", ".bias"))},
        "scale": {k for k in before if k.endswith(".scale")},
    }
    assert not moved & kinds[part]
    assert all(moved & kinds[other] for other in kinds if other != part)


def test_train_on_the_whole_model_does_not_reach_it() -> None:
    model = calibrated()
    freeze(model.backbone)
    model.train()
    assert model.training
    assert model.head.training
    assert not any(m.training for m in model.backbone.modules())
    assert all(q.quantizing for q in model.backbone.modules() if isinstance(q, FakeQuantize))


@pytest.mark.parametrize("copied", ["deepcopy", "pickle"])
def test_a_copy_is_frozen_too_and_on_its_own(copied: str) -> None:
    model = Net()
    freeze(model.backbone)
    copy = deepcopy(model)
    if copied == "pickle":
        stream = io.BytesIO()
        torch.save(model, stream)
        stream.seek(0)
        copy = torch.load(stream, weights_only=False)
    copy.train()
    assert not copy.backbone[2].training
    assert model.backbone[2].training is False
    unfreeze(copy.backbone)
    copy.train()
    assert copy.backbone[2].training
    model.train()
    assert not model.backbone[2].training
    assert not any(p.requires_grad for p in model.backbone.parameters())


def test_a_copy_of_a_prepared_model_is_frozen() -> None:
    model = calibrated()
    freeze(model.backbone)
    copy = deepcopy(model)
    before = state(copy, "backbone.")
    trained(copy, momentum(copy))
    assert same(state(copy, "backbone."), before)


def test_unfreeze_gives_back_what_was_trained() -> None:
    model = calibrated()
    model.get_parameter("backbone.0.bias").requires_grad_(False)
    freeze(model)
    freeze(model)
    unfreeze(model)
    assert model.get_parameter("backbone.0.weight").requires_grad
    assert not model.get_parameter("backbone.0.bias").requires_grad
    before = state(model, "")
    trained(model, momentum(model))
    now = state(model, "")
    assert not torch.equal(now["backbone.0.weight"], before["backbone.0.weight"])
    assert not torch.equal(
        now["quant.activation_post_process.scale"], before["quant.activation_post_process.scale"]
    )


def test_frozen_for_a_block() -> None:
    model = calibrated()
    model.train()
    freeze(model.head, bn=False, scale=False)
    modes = [(m.training, getattr(m, "observing", None)) for m in model.modules()]
    required = [p.requires_grad for p in model.parameters()]
    with frozen(model.backbone):
        model.train()
        assert not model.get_submodule("backbone.0").training
        assert not model.get_parameter("backbone.0.weight").requires_grad
    assert [(m.training, getattr(m, "observing", None)) for m in model.modules()] == modes
    assert [p.requires_grad for p in model.parameters()] == required
    assert not model.head.weight.requires_grad
    unfreeze(model.head)
    assert model.head.weight.requires_grad


def test_scales_that_were_never_observed_cannot_be_kept() -> None:
    model = prepare(Net(), {"image": torch.randn(2, 1, 6, 6)})
    with pytest.raises(QflowError, match="QF241") as found:
        freeze(model.backbone)
    assert "backbone.0" in str(found.value)
    assert model.get_parameter("backbone.0.weight").requires_grad
    freeze(model.backbone, scale=False)


def test_a_frozen_float_model_stays_frozen_when_it_is_prepared() -> None:
    """The modules are other objects then: the freeze goes with them."""
    torch.manual_seed(0)
    net = Net()
    freeze(net.backbone)
    model = prepare(net, {"image": torch.randn(2, 1, 6, 6)})
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(image=torch.randn(8, 1, 6, 6))
    weight = model.get_parameter("backbone.0.weight").clone()
    trained(model, momentum(model))
    assert not model.get_submodule("backbone.0").training
    assert torch.equal(model.get_parameter("backbone.0.weight"), weight)
    assert not torch.equal(model.head.weight, net.head.weight)
    unfreeze(model)
    model.train()
    assert model.get_submodule("backbone.0").training
    assert not net.backbone[0].training, "the float model's own freeze is its own"


class Normed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.conv = nn.Conv2d(1, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.head = nn.Conv2d(4, 2, 1)
        self.dequant = DeQuantStub()

    def forward(self, image: Tensor) -> Tensor:
        return self.dequant(self.head(self.bn(self.conv(self.quant(image)))))


@pytest.mark.parametrize("mode", [QATMode.WithBN, QATMode.WithBNReverseFold])
@pytest.mark.parametrize("parts", [{}, {"weight": False, "scale": False}], ids=["all", "bn"])
def test_batch_norms_inside_fused_modules(mode: QATMode, parts: dict[str, bool]) -> None:
    set_qat_mode(mode)
    try:
        torch.manual_seed(0)
        model = prepare(Normed(), {"image": torch.randn(2, 1, 6, 6)})
    finally:
        set_qat_mode(QATMode.FuseBN)
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(image=torch.randn(8, 1, 6, 6))
    freeze(model.conv, **parts)
    before = state(model, "conv.")
    trained(model, momentum(model))
    moved = {k for k, v in state(model, "conv.").items() if not torch.equal(v, before[k])}
    assert not {k for k in moved if "running" in k}
    assert bool(moved) is bool(parts)
