"""FakeQuantize: rounding, gradient, scale, whether it is known, and its state dict."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.dtype import qint4, qint8, qint16
from qflow.quantization import FakeQuantize
from qflow.quantization.fake_quantize import SMALLEST_SCALE
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.observers.mse import Mse
from qflow.quantization.observers.percentile import Percentile


def observing(*args, **kwargs) -> FakeQuantize:
    made = FakeQuantize(*args, **kwargs)
    made.observing = made.quantizing = True
    return made


def fixed(scale: float, **kwargs) -> FakeQuantize:
    made = FakeQuantize(Fixed(scale), **kwargs)
    made.quantizing = True
    return made


def test_after_init() -> None:
    made = FakeQuantize(channels=3, axis=0)
    assert made.scale.dtype == torch.float32
    assert torch.equal(made.scale, torch.ones(3))
    assert made.zero_point.dtype == torch.int64
    assert torch.equal(made.zero_point, torch.zeros(3, dtype=torch.int64))
    assert not made.observed
    assert list(made.state_dict()) == [
        "scale",
        "zero_point",
        "activation_post_process.min_val",
        "activation_post_process.max_val",
    ]


@pytest.mark.parametrize(
    ("dtype", "divisor", "steps"),
    [
        (qint8, "half_range", 127.5),
        (qint8, "qmax", 127),
        (qint8, "minus_qmin", 128),
        (qint16, "half_range", 32767.5),
        (qint16, "qmax", 32767),
        (qint4, "half_range", 7.5),
    ],
)
def test_the_scale_is_the_range_over_the_divisor(dtype, divisor: str, steps: float) -> None:
    made = observing(dtype=dtype, divisor=divisor)
    # printed in documents of the field: 2.9943717 -> 0.0234853 for int8
    made(torch.tensor([-2.9943717, 1.0]))
    assert float(made.scale) == np.float32(np.float32(2.9943717) / np.float32(steps))
    assert float(made.activation_post_process.min_val) == np.float32(-2.9943717)
    if (dtype, divisor) == (qint8, "half_range"):
        assert float(made.scale) == pytest.approx(0.0234853, abs=5e-8)


def test_one_is_a_legal_scale() -> None:
    made = observing()
    made(torch.tensor([127.5]))
    assert torch.equal(made.scale, torch.ones(1))
    assert made.observed
    assert torch.equal(made(torch.tensor([3.4])), torch.tensor([3.0]))


TIES = torch.arange(-130, 130, dtype=torch.float32) + 0.5


@pytest.mark.parametrize(
    ("rounding", "rule"),
    [
        ("half_even", np.round),
        ("half_up", lambda v: np.floor(v + 0.5)),
        ("half_away", lambda v: np.sign(v) * np.floor(np.abs(v) + 0.5)),
    ],
)
def test_roundings_at_ties(rounding: str, rule) -> None:
    found = fixed(0.5, rounding=rounding)(TIES * 0.5)
    wanted = np.clip(rule(TIES.numpy()), -128, 127) * 0.5
    assert np.array_equal(found.numpy(), wanted)


@settings(max_examples=100, deadline=None)
@given(
    st.floats(2.0**-20, 2.0**20, width=32),
    st.lists(st.floats(-1e8, 1e8, width=32), min_size=1, max_size=30),
    st.sampled_from([qint8, qint16]),
)
def test_it_divides_and_does_not_multiply_by_the_inverse(scale: float, values, dtype) -> None:
    x = np.array(values, dtype=np.float32)
    s = np.float32(scale)
    wanted = np.clip(np.round(x / s), dtype.qmin, dtype.qmax).astype(np.float32) * s
    found = fixed(scale, dtype=dtype)(torch.from_numpy(x))
    assert np.array_equal(found.numpy(), wanted)


def test_true_division_matters() -> None:
    scale = float(np.float32(0.05) * 1)
    x = torch.tensor([k * np.float32(scale) + np.float32(scale) / 2 for k in range(-100, 100)])
    inverse = torch.round(x * (1 / torch.tensor(scale))) * scale
    assert not torch.equal(fixed(scale)(x), inverse)


def test_rounding_twice_changes_nothing() -> None:
    made = observing(Mse())
    x = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    y = made(x)
    assert torch.equal(made.quantized(y), y)
    assert len(torch.unique(y)) <= 256


def test_the_gradient_is_straight_inside_and_zero_outside() -> None:
    x = torch.tensor([-65.0, -64.2, -64.0, 0.3, 63.4, 63.7, 64.0, 1e9], requires_grad=True)
    y = fixed(0.5)(x)
    upstream = torch.arange(1.0, 9.0)
    y.backward(upstream)
    # -64.2 / 0.5 rounds to -128, 63.7 / 0.5 to 127: the rounded value decides
    inside = torch.tensor([0, 1, 1, 1, 1, 1, 0, 0])
    assert torch.equal(x.grad, upstream * inside)
    with torch.no_grad():
        assert torch.equal(fixed(0.5)(x), y)


def test_the_input_is_never_written_to() -> None:
    for rounding in ("half_even", "half_up", "half_away"):
        x = torch.linspace(-3, 3, 50)
        before = x.clone()
        fixed(0.1, rounding=rounding)(x)
        assert torch.equal(x, before)


def test_no_gradient_through_the_scale() -> None:
    made = observing()
    x = torch.tensor([1.0, 63.75], requires_grad=True)
    made(x).sum().backward()
    # the largest value lies at 127.5 steps: it rounds to 128 and saturates
    assert torch.equal(x.grad, torch.tensor([1.0, 0.0]))
    assert not made.scale.requires_grad


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_per_channel(axis: int) -> None:
    x = torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(0))
    made = observing(axis=axis, channels=x.shape[axis])
    y = made(x)
    for c in range(x.shape[axis]):
        one = observing()
        assert torch.equal(one(x.select(axis, c)), y.select(axis, c))
        assert one.scale == made.scale[c]


def test_zeros_get_the_scale_of_one() -> None:
    made = observing(axis=0, channels=2)
    x = torch.tensor([[0.0, 0.0], [1.0, 2.0]])
    assert torch.equal(made(x)[0], torch.zeros(2))
    assert float(made.scale[0]) == pytest.approx(1 / 127.5)
    assert made.observed


def test_tiny_and_huge_values_keep_a_usable_scale() -> None:
    made = observing()
    made(torch.tensor([1e-44]))
    assert float(made.scale) == SMALLEST_SCALE
    made = observing()
    y = made(torch.tensor([3e38, -3e38]))
    assert torch.isfinite(y).all()


@pytest.mark.parametrize(("bad", "word"), [(math.nan, "NaN"), (math.inf, "infinity")])
@pytest.mark.parametrize("observer", [MinMax(), Mse(), Fixed(0.1)])
def test_what_is_not_finite_is_reported(bad: float, word: str, observer) -> None:
    made = observing(observer, address="stem.conv")
    with pytest.raises(QflowError) as caught:
        made(torch.tensor([1.0, bad]))
    (found,) = caught.value.diagnostics
    assert found.code == "QF403"
    assert found.message == f"{word} reached the observer of `stem.conv`"


def test_rounding_without_a_scale_is_refused() -> None:
    made = FakeQuantize(address="stem.conv")
    made.quantizing = True
    with pytest.raises(QflowError, match=r"QF401: `stem\.conv`"):
        made(torch.ones(1))


def test_an_empty_batch_is_no_data() -> None:
    made = observing()
    made.quantizing = False
    made(torch.zeros(0, 3))
    assert not made.observed


def test_a_fixed_scale_is_never_updated() -> None:
    made = observing(Fixed(0.25))
    assert made.observed
    made(torch.full((3,), 100.0))
    assert torch.equal(made.scale, torch.tensor([0.25]))


def test_it_observes_in_training_mode_only() -> None:
    made = observing().eval()
    made.quantizing = False
    # to observe and nothing else, in evaluation mode: calibration that `eval()` stopped
    with pytest.raises(QflowError, match="QF242"):
        made(torch.ones(1))
    assert not made.observed
    made.train()(torch.ones(1))
    assert made.observed


def test_following_measures_each_tensor_alone() -> None:
    for observer in (MinMax(), Percentile(100)):
        gathering, following = observing(observer), observing(observer, follows=True)
        for made in (gathering, following):
            made(torch.tensor([10.0]))
            made(torch.tensor([5.0]))
        assert float(gathering.activation_post_process.max_val) == 10
        assert float(following.activation_post_process.max_val) == 5


def test_with_args() -> None:
    made = FakeQuantize.with_args(observer=Percentile(99), dtype=qint16)()
    assert (made.observer, made.dtype) == (Percentile(99), qint16)
    assert isinstance(made, nn.Module)


def test_half_precision_is_observed_in_float() -> None:
    made = observing(Mse())
    y = made(torch.tensor([1.0, -3.0], dtype=torch.float16))
    assert torch.isfinite(y).all()
    assert float(made.activation_post_process.max_val) <= 3


# state dict


def transferred(source: FakeQuantize, target: FakeQuantize) -> FakeQuantize:
    target.load_state_dict(source.state_dict(), strict=True)
    return target


def test_a_loaded_scale_is_known() -> None:
    source = observing()
    source(torch.tensor([-2.0, 1.0]))
    target = transferred(source, FakeQuantize())
    assert target.observed
    assert torch.equal(target.scale, source.scale)
    assert not transferred(FakeQuantize(), FakeQuantize()).observed
    # loading what was never observed takes the knowledge away again
    assert not transferred(FakeQuantize(), target).observed


def test_observing_goes_on_from_a_loaded_range() -> None:
    source = observing()
    source(torch.tensor([-2.0, 1.0]))
    target = transferred(source, observing())
    target(torch.tensor([1.5]))
    assert float(target.activation_post_process.min_val) == -2
    assert float(target.activation_post_process.max_val) == 1.5


def test_older_checkpoints() -> None:
    source = observing()
    source(torch.tensor([-2.0, 1.0]))
    state = dict(source.state_dict())
    state["scale"] = state["scale"][0]
    state["activation_post_process.min_val"] = state["activation_post_process.min_val"][0]
    state["fake_quant_enabled"] = state["observer_enabled"] = torch.ones(1, dtype=torch.uint8)
    target = FakeQuantize()
    target.load_state_dict(state, strict=True)
    assert target.observed
    assert torch.equal(target.scale, source.scale)
    assert (target.observing, target.quantizing) == (False, False)


def refusal(target: FakeQuantize, state: dict[str, Tensor], version: int = 2) -> str:
    state = type(target.state_dict())(state)
    state._metadata = {"": {"version": version}, "activation_post_process": {"version": 1}}
    with pytest.raises(RuntimeError) as caught:
        target.load_state_dict(state, strict=True)
    return str(caught.value)


def test_what_cannot_be_loaded_says_so() -> None:
    state = dict(FakeQuantize().state_dict())
    assert "zero point is not 0" in refusal(
        FakeQuantize(), {**state, "zero_point": torch.tensor([3])}
    )
    assert "fixed to 0.5" in refusal(FakeQuantize(Fixed(0.5)), state)
    assert "rounding half_up (FakeQuantize version 1)" in refusal(FakeQuantize(), state, version=1)
    assert "Missing key" in refusal(FakeQuantize(), {"scale": torch.ones(1)})


@pytest.mark.parametrize("dtype", [qint4, qint8, qint16], ids=str)
def test_the_smallest_float_stays_finite(dtype) -> None:
    """A mask of it is added to scores: infinity would reach the next observer."""
    made = observing(dtype=dtype)
    rounded = made(
        torch.tensor([torch.finfo(torch.float32).min, 0.0, torch.finfo(torch.float32).max])
    )
    assert torch.isfinite(rounded).all()
    assert rounded[1] == 0
