"""int8 products by `torch._int_mm`, on the CPU, against the oracle: what a GPU runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qflow.dtype import DTYPES
from qflow.emulation.carriers import int_mm, products
from qflow.emulation.op import Call, Example, Fast, Range
from qflow.emulation.runtimes._calls import calls
from qflow.emulation.runtimes.torch import exact_kernels
from tests.emulation import ties
from tests.emulation.build import PROFILES, conv_example, lowered, one_op
from tests.emulation.test_fast_path import with_bias

CPU = torch.device("cpu")
QUICK = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
NAME = "int8 (_int_mm)"
GRIDS = (("int8", 0), ("int8", 5), ("int8", -128), ("uint8", 0), ("uint8", 255), ("int16", 0))
INT8 = np.array([-128, 127], np.int8)


@contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """The choice of a GPU; the kernel of the CPU."""

    def chosen(device: str, *facts: Any) -> bool:
        return int_mm.is_chosen("cuda", *facts)

    with patch.object(products, "is_chosen", chosen):
        yield


def prepared(call: Call, ranges: Sequence[Range]) -> Fast:
    with as_on_a_gpu():
        return call.operator.fast(call, ranges, CPU)


def ranges_of(call: Call) -> list[Range]:
    return [(DTYPES[s.dtype].qmin, DTYPES[s.dtype].qmax) for s in call.sources]


def agree(call: Call, operands: Sequence[np.ndarray]) -> np.ndarray:
    """The fast path, whatever dtype its operands come in, gives what the oracle gives."""
    wanted = call.operator.oracle(call, *[x.astype(np.int64) for x in operands])
    fast = prepared(call, ranges_of(call))
    assert fast.carrier.startswith(NAME)
    for dtype in (None, torch.float32, torch.float64):
        given_ = [torch.from_numpy(x) for x in operands]
        with exact_kernels(CPU):
            found = fast.run(*(x if dtype is None else x.to(dtype) for x in given_))
        assert np.array_equal(found.numpy().astype(np.int64), wanted)
        assert all(np.array_equal(g.numpy(), x) for g, x in zip(given_, operands, strict=True))
    return wanted


def layer(
    op: str,
    example: Example,
    grid: tuple[str, int] = ("int8", 0),
    *,
    profile: str = "mul15",
    out_dtype: str = "int8",
    out_scale: float = 0.05,
    seed: int = 0,
) -> Call:
    """A layer whose weights reach both ends of int8 and whose operand lies on any grid."""
    random = np.random.default_rng(seed)
    weight = random.normal(size=example.weight).astype(np.float32)
    bias = random.normal(size=example.weight[0]).astype(np.float32)
    scales = [0.01] * len(example.shapes)
    graph = lowered(
        one_op(op, example, scales, out_scale, out_dtype=out_dtype, weight=weight, bias=bias),
        profile,
    )
    (call,) = (c for c in calls(graph) if c.node.id == "op")
    whole = random.integers(-128, 128, weight.shape).astype(np.int8)
    whole = np.where(random.random(weight.shape) < 0.3, random.choice(INT8, weight.shape), whole)
    constants = dict(call.constants) | {"weight": whole}
    constants["bias"] = random.integers(-(1 << 20), 1 << 20, len(bias)).astype(np.int32)
    source = replace(call.sources[0], dtype=grid[0], zero_point=grid[1])
    return replace(call, sources=(source, *call.sources[1:]), constants=constants)


def integers(call: Call, seed: int) -> list[np.ndarray]:
    """Operands across their grids, the ends more often than by chance."""
    random = np.random.default_rng(seed)
    found = []
    for source, (low, high) in zip(call.sources, ranges_of(call), strict=True):
        values = random.integers(low, high + 1, source.shape)
        ends = random.choice([low, high], source.shape)
        whole = np.where(random.random(source.shape) < 0.3, ends, values)
        found.append(whole.astype(source.dtype))
    return found


@QUICK
@given(data=st.data(), seed=st.integers(0, 1 << 30))
def test_convolutions(data: st.DataObject, seed: int) -> None:
    """Odd sizes, windows, strides, dilation, uneven padding, residuals, zero points."""
    draw, small = data.draw, st.integers(1, 3)
    example = conv_example(
        (draw(st.integers(1, 3)), draw(st.integers(1, 9)), *(draw(st.integers(5, 8)),) * 2),
        draw(st.integers(1, 10)),
        (draw(small), draw(small)),
        (draw(small), draw(small)),
        tuple(draw(st.integers(0, 2)) for _ in range(4)),
        (draw(st.integers(1, 2)), draw(st.integers(1, 2))),
        activation=draw(st.sampled_from([None, "relu", "relu6"])),
        residual=draw(st.booleans()),
    )
    call = layer(
        "conv2d",
        example,
        draw(st.sampled_from(GRIDS)),
        profile=draw(st.sampled_from(PROFILES)),
        out_dtype=draw(st.sampled_from(["int8", "int16", "int32"])),
        out_scale=draw(st.sampled_from([0.05, 0.0371, 2.0**-4, 3.0])),
        seed=seed,
    )
    agree(call, integers(call, seed))


@QUICK
@given(data=st.data(), seed=st.integers(0, 1 << 30))
def test_linear_layers(data: st.DataObject, seed: int) -> None:
    """Fewer rows than the kernel takes, and more; any number of axes."""
    draw = data.draw
    rows = draw(st.sampled_from([(1,), (3,), (16,), (17,), (2, 9), (2, 3, 7), (41,)]))
    width, out = draw(st.integers(1, 40)), draw(st.integers(1, 20))
    residual = draw(st.booleans())
    shapes = ((*rows, width), (*rows, out)) if residual else ((*rows, width),)
    call = layer(
        "linear",
        Example(shapes, {}, (out, width), residual=residual),
        draw(st.sampled_from(GRIDS)),
        profile=draw(st.sampled_from(PROFILES)),
        out_dtype=draw(st.sampled_from(["int8", "int16", "int32"])),
        seed=seed,
    )
    agree(call, integers(call, seed))


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("value", INT8)
def test_extremes_alone(grid: tuple[str, int], value: int) -> None:
    """Every weight and every value at one end: the largest sums there are."""
    example = conv_example((1, 72, 5, 5), 3, padding=(1, 1, 1, 1))
    call = layer("conv2d", example, grid, out_dtype="int32")
    taps = np.full_like(call.constants["weight"], value)
    call = replace(call, constants=dict(call.constants) | {"weight": taps})
    for end in ranges_of(call)[0]:
        agree(call, [np.full(call.sources[0].shape, end, grid[0])])


@pytest.mark.parametrize("profile", PROFILES)
def test_near_ties_on_every_level(profile: str) -> None:
    """A weight of 1 and inputs of 0 and 1: the accumulator is the bias, and one more."""
    ratios = ties.ratios(12)
    out = len(ratios) * 255
    weight = np.repeat(ratios, 255).astype(np.float32)[:, None]
    example = Example(((2, 1),), {}, weight.shape)
    made = one_op("linear", example, [0.25], 0.25 / 127, weight=weight, bias=np.zeros(out))
    levels = np.tile(np.arange(-127, 128) - 0.5, len(ratios))
    near = np.clip(np.rint(levels / np.repeat(ratios, 255)), -(1 << 30), 1 << 30).astype(np.int64)
    for nudge in (-1, 0, 1):
        graph = with_bias(lowered(made, profile), "op", near + nudge)
        (call,) = (c for c in calls(graph) if c.node.id == "op")
        ones = dict(call.constants) | {"weight": np.ones(weight.shape, np.int8)}
        found = agree(replace(call, constants=ones), [np.array([[0], [1]], np.int8)])
        assert len(np.unique(found[0])) > 200


def test_images_that_are_copied_in_pieces(monkeypatch) -> None:
    monkeypatch.setattr(int_mm, "MOST_COPIED", 2 * 6 * 6 * 9 * 4)
    call = layer("conv2d", conv_example((5, 4, 6, 6), 7, padding=(1, 1, 1, 1)))
    agree(call, integers(call, 1))


def test_a_batch_of_none() -> None:
    for kernel in ((1, 1), (3, 3)):
        call = layer("conv2d", conv_example((2, 4, 6, 6), 7, kernel))
        fast = prepared(call, ranges_of(call))
        assert fast.run(torch.zeros(0, 4, 6, 6, dtype=torch.int8)).shape[0] == 0


def test_what_is_handed_over() -> None:
    for values, moved, in_bytes in (
        ((-128, 127), 0, False),
        ((0, 127), 0, False),
        ((0, 255), 128, False),
        ((-1, 254), 127, False),
        ((-255, 0), -127, False),
        ((-133, 122), -5, False),
        ((-129, 127), 0, True),
        ((-32768, 32767), 0, True),
    ):
        fed = int_mm.parts(values)
        assert fed == int_mm.Parts(moved, in_bytes)
        every = torch.arange(values[0], values[1] + 1)
        brought = fed.bring(every)
        assert all(part.dtype == torch.int8 for part in brought)
        back = fed.join([part.int() for part in brought]) + fed.constant
        assert torch.equal(back.long(), every)
        assert max(int(p.int().abs().max()) for p in brought) <= fed.largest(values)
    assert int_mm.parts((-32768, 32768)) is None


def test_the_choice() -> None:
    assert int_mm.is_chosen("cuda", "int8", 1)
    assert not int_mm.is_chosen("cpu", "int8", 1)
    assert not int_mm.is_chosen("mps", "int8", 1)
    assert not int_mm.is_chosen("cuda", "int16", 1)
    assert not int_mm.is_chosen("cuda", "int8", 4)
    call = layer("conv2d", conv_example((1, 8, 5, 5), 4))
    assert NAME not in call.operator.fast(call, ranges_of(call), CPU).carrier
    found = prepared(call, ranges_of(call))
    assert found.carrier == NAME
    assert "int32 holds them" in found.why
    wide = replace(call, sources=(replace(call.sources[0], zero_point=9),))
    assert prepared(wide, [(-128, 127)]).carrier == f"{NAME} moved"
    assert prepared(wide, [(-32000, 32000)]).carrier == f"{NAME} twice"
    assert NAME not in prepared(wide, [(-32768, 32767)]).carrier


def test_sums_beyond_32_bits_are_refused() -> None:
    """131,072 products of -128 and -128 are 2^31."""
    for width, fits in ((131_071, True), (131_072, False)):
        example = Example(((1, 4),), {}, (1, 4))
        call = layer("linear", example)
        taps = np.full((1, width), -128, np.int8)
        source = replace(call.sources[0], shape=(1, width))
        constants = dict(call.constants) | {"weight": taps, "bias": np.zeros(1, np.int32)}
        call = replace(call, sources=(source,), constants=constants)
        assert (NAME in prepared(call, [(-128, 127)]).carrier) is fits


@pytest.mark.parametrize("why", ["missing", "wrong"])
def test_a_kernel_that_is_not_there_or_wrong_is_not_used(why: str, monkeypatch) -> None:
    real = torch._int_mm

    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        if why == "missing":
            raise RuntimeError("_int_mm is not implemented here")
        return real(a, b).clamp(-32768, 32767)

    call = layer("conv2d", conv_example((1, 8, 5, 5), 4))
    monkeypatch.setattr(torch, "_int_mm", kernel)
    assert NAME not in prepared(call, ranges_of(call)).carrier


def test_what_the_kernel_is_given(monkeypatch) -> None:
    """More than 16 rows, at least 16 values in each, the other sizes whole steps of 8."""
    real, seen = torch._int_mm, []

    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        seen.append((a.shape, b.shape))
        assert a.dtype == b.dtype == torch.int8
        assert b.stride(0) == 1
        return real(a, b)

    monkeypatch.setattr(torch, "_int_mm", kernel)
    for rows, width, out in ((1, 1, 1), (17, 9, 3), (33, 24, 16), (64, 31, 40)):
        call = layer("linear", Example(((rows, width),), {}, (out, width)))
        agree(call, integers(call, rows))
    for (m, k), (same, n) in seen:
        assert m > 16
        assert k >= 16
        assert k == same
        assert m % 8 == k % 8 == n % 8 == 0


def test_an_operand_that_is_part_of_another(monkeypatch) -> None:
    """Kernels take whole rows that begin at a whole step of memory."""
    real = torch._int_mm

    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        assert a.is_contiguous()
        assert a.data_ptr() % 16 == 0
        return real(a, b)

    monkeypatch.setattr(torch, "_int_mm", kernel)
    call = layer("linear", Example(((32, 24),), {}, (8, 24)))
    (whole,) = integers(replace(call, sources=(replace(call.sources[0], shape=(33, 56)),)), 0)
    run = prepared(call, ranges_of(call)).run
    for rows, columns in ((slice(1, 33), slice(0, 24)), (slice(0, 32), slice(3, 27))):
        wanted = call.operator.oracle(call, whole[rows, columns].astype(np.int64))
        found = run(torch.from_numpy(whole)[rows, columns])
        assert np.array_equal(found.numpy(), wanted)
    (long,) = integers(replace(call, sources=(replace(call.sources[0], shape=(33, 24)),)), 0)
    wanted = call.operator.oracle(call, long[1:].astype(np.int64))
    assert np.array_equal(run(torch.from_numpy(long)[1:]).numpy(), wanted)
