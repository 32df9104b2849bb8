"""LSQ and PACT: gradients, starts, states, and checkpoints shared with plain fake-quantizers."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qflow import march, registry
from qflow.diagnostics import QflowError
from qflow.dtype import qint4, qint8
from qflow.plan.plan import Decided
from qflow.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    QConfig,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from qflow.quantization.fake_quantize import fake_quantize_of, tensor_plan
from qflow.quantization.learned._learned import Learned
from qflow.quantization.learned.lsq import Lsq
from qflow.quantization.learned.pact import Pact
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.observers.histogram import Histogram
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.observers.mse import Mse
from tests.quantization.reference import Array

EVERY = [registry.load("quantization.learned", n) for n in registry.names("quantization.learned")]
RANDOM = np.random.default_rng(0)


def in_qat(made: Learned, scale: float | list[float] | None = None) -> Learned:
    made.observing = made.quantizing = True
    if scale is not None:
        values = torch.tensor(scale if isinstance(scale, list) else [scale])
        with torch.no_grad():
            made.scale.copy_(values)
        made._known = True
    return made


def test_the_kinds_are_those_of_the_language() -> None:
    assert set(registry.names("quantization.learned")) == {"lsq", "pact"}


def test_the_scale_is_a_parameter_of_the_same_name() -> None:
    for cls in EVERY:
        made = cls(axis=0, channels=3)
        assert isinstance(made.scale, nn.Parameter)
        assert [n for n, _ in made.named_parameters()] == ["scale"]
        assert list(made.state_dict()) == list(FakeQuantize(axis=0, channels=3).state_dict())
        assert torch.equal(made.scale, torch.ones(3))


# gradients


def lsq_by_element(x: Array, scale: Array, qmin: int, qmax: int) -> tuple[Array, Array]:
    """By x and by the scale, of each element: the table of the paper, value for value."""
    v = x / scale
    inside = (v > qmin) & (v < qmax)
    by_scale = np.where(v <= qmin, qmin, np.where(v >= qmax, qmax, np.round(v) - v))
    return inside.astype(float), by_scale


def pact_by_element(x: Array, scale: Array, qmin: int, qmax: int) -> tuple[Array, Array]:
    v = x / scale
    inside = (v > qmin) & (v < qmax)
    return inside.astype(float), np.where(inside, 0, np.clip(v, qmin, qmax))


BY_ELEMENT = {Lsq: lsq_by_element, Pact: pact_by_element}


@pytest.mark.parametrize("dtype", [qint4, qint8])
@pytest.mark.parametrize("cls", EVERY)
def test_gradients_per_tensor(cls: type[Learned], dtype) -> None:
    x = RANDOM.normal(0, 3, (5, 7, 3))
    upstream = RANDOM.normal(0, 1, x.shape)
    scale = 0.7 if dtype == qint4 else 0.03
    made = in_qat(cls(dtype=dtype), scale).double()
    t = torch.tensor(x, requires_grad=True)
    y = made(t)
    y.backward(torch.tensor(upstream))
    kept = float(made.scale.detach())
    by_x, by_scale = BY_ELEMENT[cls](x, kept, dtype.qmin, dtype.qmax)
    assert 0 < (1 - by_x).sum() < x.size
    np.testing.assert_allclose(t.grad.numpy(), upstream * by_x)
    # 21 values of one sample share the scale
    pace = 1 / math.sqrt(21 * dtype.qmax) if cls is Lsq else 1 / dtype.qmax**2
    wanted = pace * np.sum(upstream * by_scale)
    np.testing.assert_allclose(made.scale.grad.numpy(), [wanted], rtol=1e-12)
    np.testing.assert_allclose(
        y.detach().numpy(), np.clip(np.round(x / kept), dtype.qmin, dtype.qmax) * kept
    )


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("cls", EVERY)
def test_gradients_per_channel(cls: type[Learned], axis: int) -> None:
    x = RANDOM.normal(0, 3, (3, 3, 4))
    scales = [0.3, 0.5, 0.9]
    made = in_qat(cls(dtype=qint4, axis=axis, channels=3, follows=True), scales).double()
    made(torch.tensor(x)).sum().backward()
    for c, scale in enumerate(made.scale.detach().numpy()):
        _, by_scale = BY_ELEMENT[cls](np.take(x, c, axis), scale, -8, 7)
        pace = 1 / math.sqrt(12 * 7) if cls is Lsq else 1 / 49
        np.testing.assert_allclose(made.scale.grad[c], pace * by_scale.sum(), rtol=1e-12)


def test_lsq_is_the_slope_of_the_error_where_rounding_stays() -> None:
    """Between two roundings y = steps * scale: with the straight-through share of x, v = x / scale,
    taken off, the paper's gradient is left."""
    x, scale, tiny = torch.tensor([[0.31, -0.42, 0.77]]).double(), 0.1, 1e-7
    made = in_qat(Lsq(), scale).double()
    made(x).sum().backward()

    def value(s: float) -> Tensor:
        return torch.round(x / s) * s

    numeric = (value(scale + tiny) - value(scale - tiny)).sum() / (2 * tiny)
    straight = (x / scale).sum()
    wanted = (numeric - straight) / math.sqrt(3 * 127)
    torch.testing.assert_close(made.scale.grad[0], wanted, rtol=1e-5, atol=1e-6)


def test_pact_moves_alpha_as_the_paper_does() -> None:
    """One step of gradient descent on the scale is the paper's step on alpha = qmax * scale."""
    x = torch.tensor([[0.5, 3.0, 7.0, 9.0]])
    made = in_qat(Pact(), 4.0 / 127)
    alpha = torch.tensor(4.0, requires_grad=True)
    torch.clamp(x, torch.tensor(0.0), alpha).sum().backward()
    assert float(alpha.grad) == 2
    made(x).sum().backward()
    rate = 0.1
    moved = 127 * (made.scale - rate * made.scale.grad).detach()
    assert float(moved) == pytest.approx(4.0 - rate * 2, rel=1e-6)


def test_the_signed_side_of_pact_counts_the_other_way() -> None:
    made = in_qat(Pact(), 0.1)
    made(torch.tensor([[-100.0]])).sum().backward()
    assert float(made.scale.grad) == pytest.approx(-128 / 127**2)


@pytest.mark.parametrize("cls", EVERY)
def test_batch_size_does_not_change_the_pace_of_a_mean_loss(cls: type[Learned]) -> None:
    x = torch.tensor(RANDOM.normal(0, 3, (2, 5, 5)), dtype=torch.float32)
    found = []
    for batch in (x, x.repeat(4, 1, 1)):
        made = in_qat(cls(), 0.05)
        made(batch).flatten(1).sum(1).mean().backward()
        found.append(float(made.scale.grad))
    assert found[0] == pytest.approx(found[1], rel=1e-5)


# where it starts, and that it stays above 0


def test_lsq_begins_with_twice_the_mean() -> None:
    x = torch.tensor(RANDOM.normal(0, 1, (4, 9)), dtype=torch.float32)
    made = in_qat(Lsq(axis=0, channels=4, follows=True))
    made(x)
    wanted = 2 * x.double().abs().mean(1) / math.sqrt(127)
    torch.testing.assert_close(made.scale.detach().double(), wanted, rtol=1e-6, atol=0)
    assert made.observed


def test_pact_begins_with_the_largest() -> None:
    made = in_qat(Pact())
    made(torch.tensor([-3.0, 12.7]))
    assert float(made.scale.detach()) == pytest.approx(0.1)


@pytest.mark.parametrize("cls", EVERY)
def test_zeros_are_a_start_as_well(cls: type[Learned]) -> None:
    made = in_qat(cls())
    assert torch.equal(made(torch.zeros(3)), torch.zeros(3))
    assert float(made.scale.detach()) == pytest.approx(1 / 127.5)


@pytest.mark.parametrize("cls", EVERY)
def test_calibration_sets_it_and_training_moves_it(cls: type[Learned]) -> None:
    made = cls(MinMax())
    made.observing = True
    x = torch.linspace(-3, 3, 50)[None]
    made(x)
    assert float(made.scale.detach()) == pytest.approx(3 / 127.5)
    in_qat(made)
    before = float(made.scale.detach())
    made(10 * x).sum().backward()
    # the observer rests
    assert float(made.scale.detach()) == before
    assert float(made.activation_post_process.max_val) == 3
    assert made.scale.grad is not None


@pytest.mark.parametrize("cls", EVERY)
def test_it_stays_above_zero(cls: type[Learned]) -> None:
    made = in_qat(cls(), 0.1)
    with torch.no_grad():
        made.scale.fill_(-0.5)
    assert (made.state_dict()["scale"] > 0).all()
    with torch.no_grad():
        made.scale.fill_(-0.5)
    assert torch.isfinite(made(torch.tensor([[1.0, -2.0]]))).all()
    assert (made.scale > 0).all()
    with torch.no_grad():
        made.scale.fill_(-0.5)
    made.eval()
    assert (made.scale > 0).all()


def test_training_lowers_the_error() -> None:
    x = torch.tensor(RANDOM.normal(0, 1, (64, 100)), dtype=torch.float32)
    made = in_qat(Lsq(MinMax(), qint4))
    made.quantizing = False
    made(x)
    in_qat(made)
    optimizer = torch.optim.SGD(made.parameters(), lr=0.05)
    errors = []
    for _ in range(60):
        optimizer.zero_grad()
        error = (made(x) - x).square().sum(1).mean()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.8 * errors[0]


# states


@pytest.mark.parametrize("cls", EVERY)
def test_only_training_passes_it_a_gradient(cls: type[Learned]) -> None:
    x = torch.tensor([[1.0, 200.0]], requires_grad=True)
    model = nn.Sequential(cls(MinMax()))
    made = model[0]
    made(x)
    for state, learns in ((FakeQuantState.QAT, True), (FakeQuantState.VALIDATION, False)):
        model.train(state is FakeQuantState.QAT)
        set_fake_quantize(model, state)
        in_qat(made, 0.5) if learns else None
        made.scale.grad = None
        model(x).sum().backward()
        assert (made.scale.grad is not None) == learns
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    made.freeze()
    made.scale.grad = None
    before = made.scale.clone()
    model(x).sum().backward()
    assert made.scale.grad is None
    assert not made.scale.requires_grad
    assert torch.equal(made.scale, before)


@pytest.mark.parametrize("cls", EVERY)
def test_a_scale_that_stays_cannot_be_learned(cls: type[Learned]) -> None:
    for settings in ({"observer": Fixed(0.5)}, {"fix_scale": True}):
        with pytest.raises(QflowError, match="QF410"):
            cls(**settings)


@pytest.mark.parametrize("cls", EVERY)
def test_what_is_not_finite_is_reported_in_training(cls: type[Learned]) -> None:
    with pytest.raises(QflowError, match="QF403"):
        in_qat(cls(), 0.1)(torch.tensor([math.nan]))


# checkpoints


@pytest.mark.parametrize("cls", EVERY)
def test_a_calibrated_checkpoint_loads_into_it_and_back(cls: type[Learned]) -> None:
    plain = FakeQuantize(Mse())
    plain.observing = True
    plain(torch.randn(1000, generator=torch.Generator().manual_seed(0)))
    learned = cls(Mse())
    learned.load_state_dict(plain.state_dict(), strict=True)
    assert learned.observed
    assert torch.equal(learned.scale.detach(), plain.scale)
    assert isinstance(learned.scale, nn.Parameter)
    in_qat(learned, [0.25])
    back = FakeQuantize(MinMax())
    back.load_state_dict(learned.state_dict(), strict=True)
    assert torch.equal(back.scale, torch.tensor([0.25]))
    # the range is what the scale stands for, so that observing goes on from there
    assert float(back.activation_post_process.max_val) == 0.25 * 127.5
    back.observing = True
    back(torch.ones(1))
    assert torch.equal(back.scale, torch.tensor([0.25]))


@pytest.mark.parametrize("cls", EVERY)
def test_a_scalar_scale_of_older_checkpoints_loads(cls: type[Learned]) -> None:
    state = dict(in_qat(cls(), 0.5).state_dict())
    state["scale"] = state["scale"][0]
    made = cls()
    made.load_state_dict(state, strict=True)
    assert torch.equal(made.scale.detach(), torch.tensor([0.5]))


@pytest.mark.parametrize("cls", EVERY)
def test_copies(cls: type[Learned]) -> None:
    made = in_qat(cls(Mse()), 0.5)
    for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert isinstance(again.scale, nn.Parameter)
        assert again.scale is not made.scale
        assert torch.equal(again.scale, made.scale)
        again(torch.ones(1, 2)).sum().backward()
        assert made.scale.grad is None


@pytest.mark.parametrize("cls", EVERY)
def test_histograms_are_read_anew_at_once(cls: type[Learned]) -> None:
    made = cls(Histogram("mse"))
    made.observing = True
    made(torch.randn(1, 1000, generator=torch.Generator().manual_seed(0)))
    made.rescale(Histogram("percentile", 50.0))
    assert float(made.scale.detach()) == pytest.approx(0.67 / 127.5, rel=0.1)


@pytest.mark.parametrize(("word", "cls"), [("lsq", Lsq), ("pact", Pact)])
def test_by_way_of_a_plan(word: str, cls: type[Learned]) -> None:
    # the toolchain's qconfig for lsq: the observer's pace does not hold the optimizer
    factory = cls.with_args(observer=MinMax, dtype=qint4, averaging_constant=0, saturate=None)
    plan = tensor_plan(factory, "per_channel", 0)
    assert plan.learned == Decided(word, why="QConfig")
    assert plan.fix_scale is None
    made = fake_quantize_of(plan, march.load("nash-m"), address="a", channels=3, follows=True)
    assert type(made) is cls
    assert (made.axis, made.dtype, made.scale.shape) == (0, qint4, (3,))
    assert type(factory()) is cls


# in a model


def prepared(cls: type[FakeQuantize]) -> nn.Module:
    qconfig = QConfig(
        output=cls.with_args(observer=Mse()), weight=cls.with_args(observer=MinMax(), dtype=qint4)
    )
    torch.manual_seed(0)
    net = nn.Sequential(
        QuantStub(), nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3), DeQuantStub()
    )
    found = prepare(net.eval(), torch.zeros(1, 1, 8, 8), qconfig, march="nash-m", out_dir=None)
    assert isinstance(found, nn.Module)
    return found


@pytest.mark.parametrize("cls", EVERY)
def test_calibrated_then_learned_in_a_model(cls: type[Learned]) -> None:
    images = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    calibrated = prepared(FakeQuantize)
    set_fake_quantize(calibrated, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        calibrated(images)
    model = prepared(cls)
    model.load_state_dict(calibrated.state_dict(), strict=True)
    scales = {n: p for n, p in model.named_parameters() if n.endswith(".scale")}
    assert scales.keys() == {n for n in calibrated.state_dict() if n.endswith(".scale")}
    before = {n: p.detach().clone() for n, p in scales.items()}
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(3):
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()
    moved = {n for n, p in scales.items() if not torch.equal(p.detach(), before[n])}
    assert moved if cls is Pact else moved == scales.keys()
    # and back into a plain model, which is exported the same way
    calibrated.load_state_dict(model.state_dict(), strict=True)
    found = []
    for one in (model, calibrated):
        one.eval()
        set_fake_quantize(one, FakeQuantState.VALIDATION)
        found.append(one(images).detach())
    assert torch.equal(found[0], found[1])
