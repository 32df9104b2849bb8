"""Weight reconstruction and bias correction: the outputs come closer, and only so."""

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    QATMode,
    QuantStub,
    bias_correction,
    layerwise,
    prepare,
    set_fake_quantize,
    set_qat_mode,
    weight_reconstruction,
)
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.grid import ObserverGrid

ADD = "_generated_add_0"
LAYERS = ("first", ADD, "head")
"""The second convolution runs at the place of the addition it is fused with."""


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.first = nn.Conv2d(2, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.relu = nn.ReLU()
        self.head = nn.Linear(8, 4)
        self.dequant = DeQuantStub()

    def forward(self, image: Tensor) -> Tensor:
        x = self.first(self.quant(image))
        x = self.relu(self.second(self.relu(x)) + x)
        return self.dequant(self.head(x.flatten(2).permute(0, 2, 1)))


def coarse(model: nn.Module) -> None:
    """Four bits: rounding of the weights is then worth something."""
    for layer in LAYERS:
        for at in model.get_submodule(layer).modules():
            if isinstance(at, FakeQuantize) and at.follows:
                at.grid = ObserverGrid(-8, 7, 7.0)


def batches(count: int, seed: int = 1) -> list[Tensor]:
    made = torch.Generator().manual_seed(seed)
    return [torch.randn(16, 2, 6, 6, generator=made) for _ in range(count)]


@pytest.fixture
def nets() -> tuple[nn.Module, nn.Module]:
    """The float model, and it calibrated with coarse weights."""
    torch.manual_seed(0)
    model = Net().eval()
    made = prepare(model, {"image": torch.randn(2, 2, 6, 6)})
    coarse(made)
    made.eval()
    set_fake_quantize(made, FakeQuantState.CALIBRATION)
    for batch in batches(4):
        made(batch)
    set_fake_quantize(made, FakeQuantState.VALIDATION)
    return model, made


@torch.no_grad()
def error(model: nn.Module, made: nn.Module) -> float:
    """On data that neither saw."""
    return sum((model(b) - made(b)).square().mean().item() for b in batches(4, seed=9))


def test_reconstruction_brings_the_outputs_closer(nets: tuple[nn.Module, nn.Module]) -> None:
    model, made = nets
    before = error(model, made)
    found = weight_reconstruction(made, batches(4), custom_config_dict={"num_steps": 100})
    assert [f.address for f in found] == list(LAYERS)
    assert all(f.after < f.before and 0 < f.turned < 0.5 for f in found)
    assert error(model, made) < 0.8 * before


def test_a_weight_moves_less_than_a_step_and_only_where_rounding_turned(
    nets: tuple[nn.Module, nn.Module],
) -> None:
    _, made = nets
    before = {a: made.get_submodule(a).weight.detach().clone() for a in LAYERS}
    rounded = {a: made.get_submodule(a).effective_weight().detach() for a in LAYERS}
    found = weight_reconstruction(made, batches(2), custom_config_dict={"num_steps": 60})
    for layer in found:
        module = made.get_submodule(layer.address)
        moved = module.weight.detach() != before[layer.address]
        scale = layerwise.weight_scale(module)
        step = (module.weight.detach() - before[layer.address]).abs() / scale
        assert step.max() < 1.0
        turned = module.effective_weight().detach() != rounded[layer.address]
        assert torch.equal(turned, moved & turned)
        assert turned.float().mean().item() == pytest.approx(layer.turned)


def test_what_is_excluded_stays(nets: tuple[nn.Module, nn.Module]) -> None:
    _, made = nets
    before = made.first.weight.detach().clone()
    config = {"num_steps": 20, "exclude_prefix": ["fir"]}
    found = weight_reconstruction(made, batches(1), custom_config_dict=config)
    assert [f.address for f in found] == [ADD, "head"]
    assert torch.equal(made.first.weight, before)


def test_batches_in_any_form(nets: tuple[nn.Module, nn.Module]) -> None:
    _, made = nets
    config = {"num_steps": 1, "num_batches": 2}
    one = batches(1)[0]
    asked = iter([one, (one,), {"image": one}])
    weight_reconstruction(made, asked, custom_config_dict=config)
    assert next(asked) == {"image": one}, "no more than num_batches are taken"
    weight_reconstruction(made, [{"image": one}], custom_config_dict=config)
    weight_reconstruction(made, [(one, 3)], lambda pair: pair[0], config)


@pytest.mark.parametrize(
    ("config", "code", "said"),
    [
        ({"num_step": 3}, "QF110", "num_steps"),
        ({"num_steps": 0}, "QF111", "`num_steps` must be 1 or more"),
        ({"b_range": (2.0,)}, "QF111", "`b_range` must be two numbers"),
        ({"warm_up": 1.0}, "QF111", "`warm_up` must be from 0"),
    ],
)
def test_settings_it_cannot_use(
    nets: tuple[nn.Module, nn.Module], config: dict[str, object], code: str, said: str
) -> None:
    with pytest.raises(QflowError, match=code) as found:
        weight_reconstruction(nets[1], batches(1), custom_config_dict=config)
    (diagnostic,) = found.value.diagnostics
    assert said in diagnostic.message + "".join(diagnostic.notes)


@pytest.mark.parametrize("method", [weight_reconstruction, lambda m, b: bias_correction(m, m, b)])
def test_no_batch_is_said(nets: tuple[nn.Module, nn.Module], method: object) -> None:
    with pytest.raises(QflowError, match="QF404"):
        method(nets[1], [])


def test_correction_brings_the_outputs_closer(nets: tuple[nn.Module, nn.Module]) -> None:
    model, made = nets
    before = error(model, made)
    assert made.get_submodule(ADD).bias is None
    found = bias_correction(model, made, batches(4))
    assert [f.address for f in found] == list(LAYERS)
    assert found[0].before > found[-1].after
    assert error(model, made) < before
    assert made.get_submodule(ADD).bias is not None


def test_a_correction_removes_the_mean_of_the_error(nets: tuple[nn.Module, nn.Module]) -> None:
    model, made = nets
    bias_correction(model, made, batches(4))
    with torch.no_grad():
        last = torch.cat([(model(b) - made(b)).flatten(0, 1) for b in batches(4)])
    assert last.mean(0).abs().max() < 1e-5


def test_a_correction_that_makes_it_worse_is_undone(nets: tuple[nn.Module, nn.Module]) -> None:
    """Against outputs that are the present ones, nothing can get better."""
    _, made = nets
    before = {k: v.clone() for k, v in made.state_dict().items()}

    present = {float(b[0, 0, 0, 0]): made(b).detach() for b in batches(2)}

    class Present(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return present[float(image[0, 0, 0, 0])]

    found = bias_correction(Present(), made, batches(2))
    assert not any(f.kept for f in found)
    after = made.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_nothing_of_the_recording_is_left(nets: tuple[nn.Module, nn.Module]) -> None:
    _, made = nets
    list(layerwise.seen(made, ADD, [lambda m: m(batches(1)[0])]))
    assert not {"product", "finish"} & vars(made.get_submodule(ADD)).keys()


def test_a_model_that_was_never_calibrated(nets: tuple[nn.Module, nn.Module]) -> None:
    made = prepare(nets[0], {"image": torch.randn(2, 2, 6, 6)})
    with pytest.raises(QflowError, match="QF401"):
        weight_reconstruction(made, batches(1))


def test_modules_that_keep_their_batch_norm_are_named(caplog: pytest.LogCaptureFixture) -> None:
    class Normed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.quant, self.dequant = QuantStub(), DeQuantStub()
            self.conv, self.bn, self.head = (
                nn.Conv2d(2, 4, 3),
                nn.BatchNorm2d(4),
                nn.Conv2d(4, 2, 1),
            )

        def forward(self, image: Tensor) -> Tensor:
            return self.dequant(self.head(self.bn(self.conv(self.quant(image)))))

    set_qat_mode(QATMode.WithBN)
    try:
        made = prepare(Normed(), {"image": torch.randn(2, 2, 6, 6)})
    finally:
        set_qat_mode(QATMode.FuseBN)
    made.eval()
    set_fake_quantize(made, FakeQuantState.CALIBRATION)
    made(batches(1)[0])
    before = made.conv.weight.detach().clone()
    found = weight_reconstruction(made, batches(1), custom_config_dict={"num_steps": 5})
    assert [f.address for f in found] == ["head"]
    assert torch.equal(made.conv.weight, before)
    assert "QF273 warning: `conv` keeps its batch norm and is left as it is" in caplog.text
