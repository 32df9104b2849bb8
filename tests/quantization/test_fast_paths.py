"""What is done in few passes equals what is written down in many: rounding, gradients, counts."""

import os
import signal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from qflow.dtype import qint4, qint8, qint16
from qflow.quantization import FakeQuantize
from qflow.quantization.observers import _counting
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.observers.mse import Mse
from qflow.quantization.observers.octav import Octav
from qflow.quantization.rounding import MOST_STEPS, ROUNDINGS, edges, fake_quantize

pytestmark = pytest.mark.usefixtures("both_paths")

SCALES = st.floats(2.0**-120, 2.0**90, width=32)
INT8 = (-128, 127)


def plainly(x: Tensor, scale: Tensor, qmin: int, qmax: int, rounding: str) -> tuple[Tensor, Tensor]:
    """Values, and where the gradient passes, in the order of the definition."""
    v = x / scale
    steps = {
        "half_even": lambda: torch.round(v),
        "half_up": lambda: torch.floor(v + 0.5),
        "half_away": lambda: torch.sign(v) * torch.floor(torch.abs(v) + 0.5),
    }[rounding]()
    return torch.clamp(steps, qmin, qmax) * scale, (steps >= qmin) & (steps <= qmax)


def around_the_edges(scale: float, qmin: int, qmax: int, seed: int) -> Tensor:
    """Values near every half step, and the float32 next to the two last ones."""
    made = torch.Generator().manual_seed(seed)
    whole = torch.randint(qmin - 3, qmax + 4, (200,), generator=made).double()
    near = ((whole + 0.5) * scale).float()
    last = torch.tensor([qmin - 0.5, qmax + 0.5], dtype=torch.float64).mul(scale).float()
    ulps = torch.arange(-20, 21, dtype=torch.int32)[:, None]
    beside = (last.view(torch.int32) + ulps).view(torch.float32).flatten()
    spread = torch.randn(200, generator=made) * scale * (qmax - qmin)
    found = torch.cat([near, beside, spread, torch.tensor([0.0, -0.0])])
    return found[torch.isfinite(found)]


@settings(max_examples=150, deadline=None)
@given(
    SCALES,
    st.sampled_from([INT8, (0, 255), (-8, 7), (-32768, 32767), (0, 65535)]),
    st.sampled_from(sorted(ROUNDINGS)),
    st.integers(0, 1000),
)
def test_values_and_gradients_are_those_of_the_definition(scale, limits, rounding, seed) -> None:
    x = around_the_edges(scale, *limits, seed).requires_grad_()
    s = torch.tensor([scale])
    upstream = torch.arange(1.0, 1.0 + x.numel())
    y = fake_quantize(x, s, *limits, ROUNDINGS[rounding])
    y.backward(upstream)
    wanted, inside = plainly(x.detach(), s, *limits, rounding)
    assert torch.equal(y.detach(), wanted)
    assert torch.equal(x.grad, upstream * inside)
    with torch.no_grad():
        assert torch.equal(fake_quantize(x, s, *limits, ROUNDINGS[rounding]), wanted)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [qint4, qint8, qint16])
def test_per_channel_and_other_layouts(axis: int | None, layout, dtype) -> None:
    made = torch.Generator().manual_seed(1)
    x = torch.randn(6, 5, 4, 3, generator=made).to(memory_format=layout).requires_grad_()
    channels = 1 if axis is None else x.shape[axis]
    quantizer = FakeQuantize(MinMax(), dtype, axis=axis, channels=channels)
    quantizer.observing = quantizer.quantizing = True
    y = quantizer(x)
    y.sum().backward()
    values = x.detach() if axis is None else x.detach().movedim(axis, 0)
    rows = values.reshape(channels, -1)
    amax = rows.abs().amax(1).double()
    scale = (amax / quantizer.grid.divisor).float()
    shape = [1] * 4
    shape[axis or 0] = channels
    wanted, inside = plainly(x.detach(), scale.reshape(shape), dtype.qmin, dtype.qmax, "half_even")
    assert torch.equal(quantizer.scale, scale)
    assert torch.equal(quantizer.activation_post_process.min_val, rows.amin(1))
    assert torch.equal(y.detach(), wanted)
    assert torch.equal(x.grad, inside.float())
    assert y.is_contiguous(memory_format=layout)


def test_beyond_float32_integers_there_are_no_edges() -> None:
    x = torch.tensor([1e12, 3.0, -1e12], requires_grad=True)
    limit = 2 * MOST_STEPS
    fake_quantize(x, torch.tensor([1.0]), -limit, limit, ROUNDINGS["half_even"]).sum().backward()
    assert torch.equal(x.grad, torch.tensor([0.0, 1.0, 0.0]))


@pytest.mark.parametrize("rounding", sorted(ROUNDINGS))
def test_edges_are_next_to_each_other(rounding: str) -> None:
    low, high = edges(0.1, *INT8, ROUNDINGS[rounding])
    for edge, inwards in ((low, 1e9), (high, -1e9)):
        beyond = torch.tensor([edge])
        inside = torch.nextafter(beyond, torch.tensor([inwards]))
        passes = [
            bool(plainly(v, torch.tensor([0.1]), *INT8, rounding)[1]) for v in (beyond, inside)
        ]
        assert passes == [False, True]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=60),
    st.sampled_from([2, 64, 2048]),
    st.integers(0, 3),
)
def test_counts_in_pieces_are_counts_at_once(values, bins: int, more: int) -> None:
    x = torch.tensor([values, [-v for v in values]]).reshape(1, -1)
    exponent = torch.frexp(x.abs().max()).exponent.long().clamp_min(-100).reshape(1) + more
    for one_sided in (False, True):
        x = x.abs() if one_sided else x
        whole = _counting._at_once(x, exponent, bins)
        pieces = _counting.counted(x, exponent, bins, signed=not one_sided)
        assert all(torch.equal(a, b) for a, b in zip(whole, pieces, strict=True))


def test_pieces_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(1, 1000, generator=torch.Generator().manual_seed(2)) * 3
    x[0, ::7] = 0
    x[0, ::5] *= 1e-6
    whole = _counting._at_once(x, torch.tensor([4]), 512)
    sums = Octav(512).observe(Octav(512).start(1), x)
    monkeypatch.setattr(_counting, "AT_ONCE", 64)
    monkeypatch.setattr(_counting, "IN_A_WORKER", 50)
    pieces = _counting.counted(x, torch.tensor([4]), 512, signed=True)
    assert all(torch.equal(a, b) for a, b in zip(whole, pieces, strict=True))
    again = Octav(512).observe(Octav(512).start(1), x)
    assert torch.equal(again.counts, sums.counts)
    torch.testing.assert_close(again.sums, sums.sums, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("observer", [MinMax(), Mse()])
def test_statistics_do_not_depend_on_the_layout(observer) -> None:
    x = torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(4))
    turned = x.permute(0, 3, 1, 2)
    states = []
    for given_ in (
        x,
        x.to(memory_format=torch.channels_last),
        turned,
        x[..., ::2],
        x.expand(2, 3, 4, 5, 6),
    ):
        made = FakeQuantize(observer)
        made.observing = True
        made(given_)
        plain = observer.observe(observer.start(1), given_.reshape(1, -1))
        state = made.activation_post_process.state
        for name, tensor in plain.tensors().items():
            assert torch.equal(state.tensors()[name], tensor)
        states.append(state)
    assert len(states) == 5


def test_a_fixed_scale_has_edges_too() -> None:
    quantizer = FakeQuantize(Fixed(0.5))
    quantizer.quantizing = True
    x = torch.tensor([63.7, 63.8, -64.2, -64.3], requires_grad=True)
    quantizer(x).sum().backward()
    assert torch.equal(
        x.grad, plainly(x.detach(), torch.tensor(0.5), *INT8, "half_even")[1].float()
    )


@pytest.mark.parametrize("signed", [True, False])
def test_several_threads_count_the_same(signed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(1, 4099, generator=torch.Generator().manual_seed(5)).relu_()
    x = x - 0.5 if signed else x
    alone = _counting.counted(x, torch.tensor([3]), 64, signed)
    monkeypatch.setattr(_counting, "LEAST_SHARE", 1000)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    shared = _counting.counted(x, torch.tensor([3]), 64, signed)
    assert all(torch.equal(a, b) for a, b in zip(alone, shared, strict=True))
    assert int(alone[0].sum() + alone[1]) == x.numel()


@pytest.mark.parametrize("pieces", [1 << 18, 63])
def test_values_of_one_side(pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.rand(1, 4099, generator=torch.Generator().manual_seed(6))
    monkeypatch.setattr(_counting, "AT_ONCE", pieces)
    for touches, values in ((False, x + 1e-9), (True, (x - 0.7).relu_()), (True, x)):
        whole, zeros = _counting._at_once(values, torch.tensor([1]), 64)
        counts, none = _counting.counted_in_one(values, 1, 64, False, touches)
        assert whole[0].tolist() == counts.tolist()
        assert int(zeros) == none


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_state_is_that_of_many_tensors_of_one_number(dtype: torch.dtype) -> None:
    made = torch.Generator().manual_seed(7)
    state, wanted = Mse(bins=64).start(1), Mse(bins=64).start(2)
    for size in (0.3, 0.0, 40.0, 1e-40, 2.0, 3e38):
        x = (torch.randn(1, 500, generator=made) * size).clamp(-3e38, 3e38).to(dtype)
        state = Mse().observe(state, x)
        # two channels are counted in another way
        wanted = Mse().observe(wanted, x.expand(2, -1))
        for name, tensor in state.tensors().items():
            assert torch.equal(tensor[0], wanted.tensors()[name][0])
            assert tensor.dtype == wanted.tensors()[name].dtype


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_counts_with_threads_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(1, 4099, generator=torch.Generator().manual_seed(8))
    monkeypatch.setattr(_counting, "LEAST_SHARE", 1000)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    counts, zeros = _counting.counted_in_one(x, 3, 64, True)
    if (child := os.fork()) == 0:
        signal.alarm(20)
        failed = True
        try:
            again, none = _counting.counted_in_one(x, 3, 64, True)
            failed = none != zeros or bool((again != counts).any())
        finally:
            os._exit(failed)
    assert os.waitpid(child, 0)[1] == 0
