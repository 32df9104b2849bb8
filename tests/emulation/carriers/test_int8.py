"""int8 kernels against the oracle: extremes, every way to feed them, every way to rescale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qflow.emulation.carriers import affine, int8, onednn, residual
from qflow.emulation.carriers.feed import feed
from qflow.emulation.carriers.kernel_test import is_exact
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.runtimes.torch import TorchRuntime
from tests.emulation import ties
from tests.emulation.build import PROFILES, conv_example, lowered, one_op
from tests.emulation.test_fast_path import agree, extremes, with_bias

pytestmark = [
    pytest.mark.skipif(not onednn.is_there(), reason="this torch has no int8 kernels"),
    pytest.mark.usefixtures("both_paths"),
]
QUICK = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


STEPS = 6
"""Accumulators around each tie."""


def layer(
    image: tuple[int, int, int, int] = (2, 8, 6, 5),
    out: int = 8,
    *,
    relu_input: bool = True,
    profile: str = "mul15",
    out_scale: float = 0.05,
    seed: int = 0,
    **kind: Any,
) -> tuple[IntegerGraph, dict[str, np.ndarray]]:
    """A convolution of int8, with inputs that reach the ends of their grids."""
    random = np.random.default_rng(seed)
    example = conv_example(image, out, **kind)
    weight = random.normal(size=example.weight).astype(np.float32)
    weight[random.random(weight.shape) < 0.2] = np.abs(weight).max()
    bias = random.normal(size=out).astype(np.float32)
    scales = [0.01] * len(example.shapes)
    prepared = one_op(
        "conv2d", example, scales, out_scale, weight=weight, bias=bias, relu_input=relu_input
    )
    inputs = {f"x{i}": extremes(random, shape, 0.01, 127) for i, shape in enumerate(example.shapes)}
    return lowered(prepared, profile), inputs


def carrier(graph: IntegerGraph) -> str:
    return TorchRuntime(graph).carriers["op"].dtype


@QUICK
@given(data=st.data(), seed=st.integers(0, 1 << 30))
def test_layers(data: st.DataObject, seed: int) -> None:
    """Odd sizes, one channel, strides, groups, dilation, uneven padding, near ties."""
    draw, small = data.draw, st.integers(1, 3)
    groups = draw(st.sampled_from([1, 1, 2, 5]))
    channels, out = groups * draw(st.integers(1, 9)), groups * draw(st.integers(1, 9))
    if draw(st.booleans()):
        groups = channels
        out = channels
    graph, inputs = layer(
        (draw(st.integers(1, 2)), channels, draw(st.integers(5, 9)), draw(st.integers(5, 7))),
        out,
        kernel=(draw(small), draw(small)),
        stride=(draw(small), draw(small)),
        padding=tuple(draw(st.integers(0, 2)) for _ in range(4)),
        dilation=(draw(st.integers(1, 2)), draw(st.integers(1, 2))),
        groups=groups,
        activation=draw(st.sampled_from([None, "relu", "relu6"])),
        residual=draw(st.booleans()),
        relu_input=draw(st.booleans()),
        profile=draw(st.sampled_from(PROFILES)),
        out_scale=draw(st.sampled_from([0.05, 0.0371, 2.0**-4, 2.0**-9, 3.0])),
        seed=seed,
    )
    if draw(st.booleans()):
        random = np.random.default_rng(seed)
        graph = with_bias(graph, "op", random.integers(-(1 << 20), 1 << 20, out))
    agree(graph, inputs)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("has_residual", [False, True])
def test_near_ties_on_every_level(profile: str, has_residual: bool) -> None:
    """A weight of 1 and inputs of 0 to 5: the accumulator is the bias, and what is around it."""
    ratios = ties.ratios(12)
    out = len(ratios) * 255
    weight = np.repeat(ratios, 255).astype(np.float32)[:, None, None, None]
    example = conv_example((2, 1, 1, 1), out, (1, 1), residual=has_residual)
    scales = [0.25] * len(example.shapes)
    prepared = one_op("conv2d", example, scales, 0.25 / 127, weight=weight, bias=np.zeros(out))
    graph = lowered(prepared, profile)
    real = np.repeat(ratios, 255)
    levels = np.tile(np.arange(-127, 128) - 0.5, len(ratios))
    near = np.clip(np.rint(levels / real), -(1 << 22), 1 << 22).astype(np.int64)
    below = near - 1 - np.arange(out) % 3
    one = dict(graph.constants) | {"op.weight": np.ones(weight.shape, np.int8)}
    # from one below a tie to two above, wherever the bias lies
    inputs = {"x0": np.float32(0.25 * np.arange(STEPS)).reshape(STEPS, 1, 1, 1)}
    if has_residual:
        inputs = {"x0": np.tile(inputs["x0"], (2, 1, 1, 1))}
        shape = (2 * STEPS, *example.shapes[1][1:])
        inputs["x1"] = extremes(np.random.default_rng(0), shape, 0.25, 127)
        inputs["x1"][:STEPS] = 0  # or the ties would be none
    found = agree(with_bias(replace(graph, constants=one), "op", below), inputs)["op"]
    assert len(np.unique(found[:STEPS])) > 200


def test_what_is_fed() -> None:
    weight = np.full((4, 3, 3, 3), 127, np.int8)

    def fed(
        low: int, high: int, groups: int = 1, taps: np.ndarray = weight
    ) -> tuple[int, int, int]:
        found = feed(taps, (low, high), groups)
        assert found is not None
        assert is_exact(found, groups)
        return found.weight.shape[1], found.zero, found.most

    assert fed(0, 127) == (3, 0, 127)
    assert fed(0, 129) == (3, 0, 129)
    assert fed(-128, 127) == (8, 64, 128)
    assert fed(-5, 120) == (3, 5, 125)
    assert fed(0, 255) == (8, 0, 128)
    assert fed(-128, 127, taps=weight // 2) == (3, 128, 255)
    depthwise = np.full((6, 1, 3, 3), -128, np.int8)
    assert fed(-128, 127, 6, depthwise) == (1, 128, 255)
    assert feed(weight, (-255, 255), 1) is None
    assert feed(weight, (-128, 127), 2) is None


@pytest.mark.skipif(onednn.has_wide_sums(), reason="sums are wide here")
def test_saturating_operands_are_seen() -> None:
    """What is not exact on this machine fails its test, were it ever to be chosen."""
    found = feed(np.full((4, 8, 3, 3), 127, np.int8), (0, 127), 1)
    assert found is not None
    assert not is_exact(replace(found, most=255), 1)


def test_the_carrier_is_named() -> None:
    assert carrier(layer()[0]) == "int8"
    assert carrier(layer(relu_input=False)[0]) == "int8 moved twice"
    why = TorchRuntime(layer()[0]).carriers["op"].why
    assert "16 bits" in why or "32-bit" in why


@pytest.mark.parametrize("part", [0.0, 0.2, 0.6])
@pytest.mark.parametrize("kind", [{}, {"residual": True}, {"groups": 8}])
def test_channels_without_a_proof(part: float, kind: Mapping[str, Any], monkeypatch) -> None:
    """Some channels are computed by the exact rule, or all of them: the same integers."""
    real = affine.affine

    def less(*arguments: Any) -> affine.Affine:
        found = real(*arguments)
        proved = found.proved.copy()
        proved[: round(part * len(proved))] = False
        # what is not proved is wrong
        return affine.Affine(found.scale, np.where(proved, found.offset, 99), proved)

    monkeypatch.setattr(int8, "affine", less)
    monkeypatch.setattr(residual, "affine", less)
    for profile in ("mul15", "tosa.double"):
        graph, inputs = layer((2, 8, 9, 7), 16, profile=profile, activation="relu", **kind)
        assert carrier(graph) == "int8"
        agree(graph, inputs)


def test_a_kernel_that_is_wrong_is_not_used(monkeypatch) -> None:
    monkeypatch.setattr(int8, "is_exact", lambda *_: False)
    graph, inputs = layer()
    assert carrier(graph) == "float32"
    agree(graph, inputs)


def test_any_dtype_of_operands(monkeypatch) -> None:
    """Tensors between nodes may be floats or integers."""
    for relu_input in (True, False):
        graph, inputs = layer(relu_input=relu_input, residual=True)
        keep = [n.id for n in graph.nodes if n.op != "input"]
        runtime = TorchRuntime(graph)
        given_ = {k: torch.from_numpy(v) for k, v in inputs.items()}
        want = runtime.run(given_, keep)["op"]
        call = next(c for c in runtime._calls if c.node.id == "op")
        fast = runtime.carried(torch.device("cpu"))["op"]
        values = runtime.run(given_, keep)
        for dtype in (torch.float32, torch.float64, torch.int8, torch.int32):
            operands = [values[i].to(dtype) for i in call.node.inputs]
            before = [o.clone() for o in operands]
            assert torch.equal(fast.run(*operands).to(torch.int8), want)
            assert all(torch.equal(a, b) for a, b in zip(operands, before, strict=True))


def test_sums_beyond_24_bits() -> None:
    """Larger than float32 holds, and still exact: rounded sums lie outside of the clamp."""
    weight = np.ones((2, 1100, 1, 1), np.float32)
    example = conv_example((1, 1100, 2, 2), 2, (1, 1), activation="relu")
    prepared = one_op(
        "conv2d", example, [1.0], 500.0, weight=weight, bias=np.zeros(2), relu_input=True
    )
    graph = lowered(prepared)
    assert TorchRuntime(graph).carriers["op"].bound == 1100 * 127 * 127
    assert carrier(graph) == "int8"
    images = np.zeros(example.shapes[0], np.float32)
    images[:, :, 0, 0], images[:, :500, 0, 1], images[:, :3] = 127, 127, 100
    agree(graph, {"x0": images})
