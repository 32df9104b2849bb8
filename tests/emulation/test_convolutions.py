"""Convolutions in integers against plain loops, with grids and edges of every kind."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.diagnostics import QflowError
from qflow.emulation.op import Example
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.quantization.prepared import Grid
from tests.emulation.alone import call_of
from tests.emulation.build import lowered, march, one_op


def transposed_by_loops(x: np.ndarray, weight: np.ndarray, a: dict[str, Any]) -> np.ndarray:
    """Every input value adds its kernel at its place; then the padding is cut off."""
    batch, inputs, rows, columns = x.shape
    groups, (down, right), (dy, dx) = a["groups"], a["stride"], a["dilation"]
    per_group, tall, wide = weight.shape[1:]
    top, left = a["padding"][:2]
    height = (rows - 1) * down + dy * (tall - 1) + 1 + a["output_padding"][0]
    width = (columns - 1) * right + dx * (wide - 1) + 1 + a["output_padding"][1]
    y = np.zeros((batch, per_group * groups, height, width), np.int64)
    size = inputs // groups
    for n, c, i, j in product(range(batch), range(inputs), range(rows), range(columns)):
        for o, p, q in product(range(per_group), range(tall), range(wide)):
            place = (n, c // size * per_group + o, i * down + p * dy, j * right + q * dx)
            y[place] += int(x[n, c, i, j]) * int(weight[c, o, p, q])
    return y[:, :, top : height - top, left : width - left]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_transposed_convolution_is_the_sum_of_its_kernels(data: st.DataObject) -> None:
    draw = data.draw
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel, stride, dilation = draw(pairs), draw(pairs), draw(pairs)
    groups = draw(st.integers(1, 2))
    more = tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
    top, left = (
        draw(st.integers(0, min(d * (k - 1) + 1, 2))) for k, d in zip(kernel, dilation, strict=True)
    )
    attributes = {
        "kernel": kernel,
        "stride": stride,
        "padding": (top, left, top, left),
        "dilation": dilation,
        "groups": groups,
        "output_padding": more,
    }
    random = np.random.default_rng(draw(st.integers(0, 99)))
    example = Example(((2, 2 * groups, 3, 4),), attributes, (2 * groups, 3, *kernel))
    weight = random.normal(size=(2 * groups, 3, *kernel)).astype(np.float32)
    bias = np.zeros(3 * groups, np.float32)
    made = one_op(
        "conv_transpose2d", example, (0.02,), 1.0, out_dtype="int32", weight=weight, bias=bias
    )
    sizes = [
        (n - 1) * s + d * (k - 1) + 1 + m - 2 * p
        for n, s, d, k, m, p in zip(
            (3, 4), stride, dilation, kernel, more, (top, left), strict=True
        )
    ]
    if min(sizes) < 1:
        with pytest.raises(QflowError, match="leaves nothing"):
            lowered(made)
        return
    graph = lowered(made)
    call = call_of(graph, "conv_transpose2d")
    scales = next(n for n in made.nodes if n.id == "op").weight_grid.scale
    integers = np.clip(np.rint(weight / scales.reshape(1, -1, 1, 1)), -128, 127)
    x = random.normal(size=(2, 2 * groups, 3, 4)).astype(np.float32)
    whole = np.clip(np.rint(x / np.float32(0.02)), -128, 127).astype(np.int64)
    found = oracle.run(graph, {"x0": x}, ["op"])["op"]
    assert np.array_equal(found, transposed_by_loops(whole, integers, attributes))
    assert np.array_equal(call.constants["weight_scale"], np.tile(scales, groups))
    quick = TorchRuntime(graph).run({"x0": torch.from_numpy(x)}, ["op"])["op"]
    assert np.array_equal(found, quick.numpy())


def test_scales_of_a_transposed_weight_lie_along_axis_1() -> None:
    attributes = {
        "kernel": (2, 2),
        "stride": (1, 1),
        "padding": (0, 0, 0, 0),
        "dilation": (1, 1),
        "groups": 1,
        "output_padding": (0, 0),
    }
    weight = np.ones((4, 3, 2, 2), np.float32)
    made = one_op("conv_transpose2d", Example(((1, 4, 3, 3),), attributes), (0.1,), 1.0)
    grid = Grid(made.nodes[1].grid.dtype, np.ones(4, np.float32), axis=0)
    nodes = tuple(
        replace(n, weight=weight, weight_grid=grid) if n.id == "op" else n for n in made.nodes
    )
    with pytest.raises(QflowError, match="do not lie along the output channels"):
        lowered(replace(made, nodes=nodes))


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_other_edges_than_zeros_are_a_pad_before_it(axes: int, mode: str) -> None:
    if (mode, axes) == ("reflect", 3):
        padding = (1, 0, 2, 1, 0, 2)
    else:
        padding = (1, 0, 2)[:axes] * 2
    attributes = {
        "kernel": (3, 2, 3)[:axes],
        "stride": (1,) * axes,
        "padding": padding,
        "dilation": (1,) * axes,
        "groups": 1,
        "padding_mode": mode,
    }
    random = np.random.default_rng(0)
    weight = random.normal(size=(3, 2, *attributes["kernel"])).astype(np.float32)
    example = Example(((2, 2, *(4, 5, 6)[:axes]),), attributes, weight.shape)
    made = one_op(
        f"conv{axes}d", example, (0.02,), 0.1, weight=weight, bias=np.zeros(3, np.float32)
    )
    graph = lowered(made)
    assert [n.op for n in graph.nodes][2:4] == ["pad", f"conv{axes}d"]
    x = random.normal(size=example.shapes[0]).astype(np.float32)
    found = oracle.run(graph, {"x0": x}, ["op", "q0"])
    real = found["q0"].astype(np.float64) * np.float32(0.02)
    module = getattr(torch.nn, f"Conv{axes}d")(
        2, 3, attributes["kernel"], padding=padding[:axes], padding_mode=mode, dtype=torch.float64
    )
    node = next(n for n in made.nodes if n.id == "op")
    view = (-1,) + (1,) * (axes + 1)
    scale = node.weight_grid.scale.reshape(view)
    module.weight.data = torch.from_numpy(np.rint(weight / scale) * scale.astype(np.float64))
    module.bias.data.zero_()
    with torch.no_grad():
        wanted = module(torch.from_numpy(real)).numpy() / np.float32(0.1)
    assert np.abs(found["op"] - np.clip(wanted, -128, 127)).max() < 0.51


def test_a_product_of_int16_that_may_overflow_is_said_with_its_bound() -> None:
    from qflow.emulation.lowering import lower

    def said(width: int, dtype: str) -> list[str]:
        example = Example(((2, 3, width), (2, width, 4)))
        found = lower(one_op("matmul", example, (0.1, 0.1), 1.0, dtype=dtype), march(), "mul15")
        return [f"{d.code} {d.message}" for d in found.diagnostics]

    assert said(1, "int16") == []
    assert said(1000, "int8") == []
    (warning,) = said(2, "int16")
    # 2 * 2^15 * 2^15 is one more than int32 holds
    assert warning.startswith("QF507 `op` (matmul): its accumulator can reach 2.147e+09")


def test_shares_of_a_softmax_add_up_to_one_and_so_bound_the_product() -> None:
    from tests.emulation.nets import Net

    net = Net("int16")
    scores, values = net.input("x", (2, 4, 50)), net.input("v", (2, 50, 8), scale=1e-4)
    shares = net.add("shares", "softmax", scores, scale=1 / 32767, attributes={"dim": -1})
    made = net.graph(y=net.add("d", "dequant", net.add("y", "matmul", shares, values, scale=1e-4)))
    from qflow.emulation.lowering import lower

    assert lower(made, march(), "mul15").diagnostics == ()


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_a_batch_norm_with_dead_channels_gives_their_bias(dtype: str) -> None:
    weight = np.array([0.0, 1e-12, -2.0, 0.0], np.float32)
    bias = np.array([0.5, -0.25, 0.1, 0.0], np.float32)
    example = Example(((2, 4, 3),))
    made = one_op("batch_norm", example, (0.01,), 0.01, dtype=dtype, weight=weight, bias=bias)
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    graph = lowered(made)
    found = oracle.run(graph, {"x0": x}, ["op", "q0"])
    wanted = found["q0"] * weight[:, None].astype(np.float64) + bias[:, None] / 0.01
    top = 127 if dtype == "int8" else 32767
    assert np.abs(found["op"] - np.clip(wanted, -top - 1, top)).max() < 0.52
    quick = TorchRuntime(graph).run({"x0": torch.from_numpy(x)}, ["op"])["op"]
    assert np.array_equal(found["op"], quick.numpy())
