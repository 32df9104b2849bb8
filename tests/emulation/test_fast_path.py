"""Oracle and fast path, bit for bit, over shapes, windows, dtypes, extremes and any bias."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qflow.diagnostics import QflowError
from qflow.emulation import gemm
from qflow.emulation.carriers import onednn
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.layout import lay_out
from qflow.emulation.op import Example
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from tests.emulation import ties
from tests.emulation.build import PROFILES, conv_example, lowered, march, one_op
from tests.emulation.nets import residual_net, wandering_net

pytestmark = pytest.mark.usefixtures("both_paths")

QUICK = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
SCALES = st.sampled_from([2.0**-9, 2.0**-6, 0.01, 0.0371, 0.7, 2.0**-12])
DTYPES = st.sampled_from(["int8", "int16"])
PROFILE = st.sampled_from(PROFILES)


def agree(graph: IntegerGraph, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    keep = [n.id for n in graph.nodes if n.op != "input"]
    slow = oracle.run(graph, inputs, keep)
    fast = TorchRuntime(graph).run({k: torch.from_numpy(v) for k, v in inputs.items()}, keep)
    for key in slow:
        assert slow[key].dtype == fast[key].numpy().dtype, key
        assert slow[key].tobytes() == fast[key].contiguous().numpy().tobytes(), key
    return slow


def extremes(
    random: np.random.Generator, shape: tuple[int, ...], scale: float, top: int
) -> np.ndarray:
    """Values across the grid, its two ends among them more often than by chance."""
    values = random.integers(-top - 1, top + 1, shape)
    ends = random.choice([-top - 1, top], shape)
    return (np.where(random.random(shape) < 0.3, ends, values) * scale).astype(np.float32)


def top_of(dtype: str) -> int:
    return 127 if dtype == "int8" else 32767


def with_bias(graph: IntegerGraph, node: str, bias: np.ndarray) -> IntegerGraph:
    """The graph with arbitrary int32 biases, which no float bias would give."""
    return replace(graph, constants=dict(graph.constants) | {f"{node}.bias": bias.astype(np.int32)})


@QUICK
@given(data=st.data(), seed=st.integers(0, 1 << 30))
def test_convolutions(data: st.DataObject, seed: int) -> None:
    draw = data.draw
    small = st.integers(1, 3)
    groups = draw(small)
    channels, out = groups * draw(small), groups * draw(small)
    example_kernel = (draw(small), draw(small))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding = tuple(draw(st.integers(0, 2)) for _ in range(4))
    image = (draw(st.integers(1, 2)), channels, draw(st.integers(5, 8)), draw(st.integers(5, 7)))
    residual = draw(st.booleans())
    example = conv_example(
        image,
        out,
        example_kernel,
        (draw(small), draw(small)),
        padding,
        dilation,
        groups,
        draw(st.sampled_from([None, "relu", "relu6"])),
        residual,
    )
    random = np.random.default_rng(seed)
    dtype, scales = draw(DTYPES), [draw(SCALES) for _ in example.shapes]
    weight = random.normal(size=example.weight).astype(np.float32)
    weight[random.random(weight.shape) < 0.2] = np.abs(weight).max()
    prepared = one_op(
        "conv2d",
        example,
        scales,
        draw(SCALES),
        dtype=dtype,
        weight=weight,
        bias=random.normal(size=out).astype(np.float32),
        weight_dtype=draw(DTYPES),
        out_dtype=draw(st.sampled_from(["int8", "int16", "int32"])),
        relu_input=draw(st.booleans()),
    )
    graph = lowered(prepared, draw(PROFILE))
    if draw(st.booleans()):
        graph = with_bias(graph, "op", random.integers(*ties.INT32, out))
    agree(
        graph,
        {
            f"x{i}": extremes(random, shape, scales[i], top_of(dtype))
            for i, shape in enumerate(example.shapes)
        },
    )


@QUICK
@given(data=st.data(), seed=st.integers(0, 1 << 30))
def test_linears(data: st.DataObject, seed: int) -> None:
    draw, random = data.draw, np.random.default_rng(seed)
    lead = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    width, out = draw(st.integers(1, 40)), draw(st.integers(1, 6))
    residual = draw(st.booleans())
    shapes = ((*lead, width), (*lead, out)) if residual else ((*lead, width),)
    example = Example(shapes, {}, (out, width), draw(st.sampled_from([None, "relu"])), residual)
    scales, dtype = [draw(SCALES) for _ in shapes], draw(DTYPES)
    graph = lowered(
        one_op(
            "linear",
            example,
            scales,
            draw(SCALES),
            dtype=dtype,
            weight=random.normal(size=(out, width)).astype(np.float32),
            bias=random.normal(size=out).astype(np.float32),
            weight_dtype=draw(DTYPES),
            out_dtype=draw(st.sampled_from(["int8", "int16", "int32"])),
        ),
        draw(PROFILE),
    )
    agree(
        graph,
        {f"x{i}": extremes(random, s, scales[i], top_of(dtype)) for i, s in enumerate(shapes)},
    )


@QUICK
@given(data=st.data(), seed=st.integers(0, 1 << 30))
def test_pools_sums_and_activations(data: st.DataObject, seed: int) -> None:
    draw, random = data.draw, np.random.default_rng(seed)
    name = draw(
        st.sampled_from(["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "add", "relu", "relu6"])
    )
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    top, left = (draw(st.integers(0, k // 2)) for k in kernel)
    attributes = {
        "kernel": kernel,
        "stride": (draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        "padding": (top, left, top, left),
    }
    if name == "max_pool2d":
        attributes |= {"dilation": (draw(st.integers(1, 2)), 1), "ceil": draw(st.booleans())}
    shape = (draw(st.integers(1, 2)), 3, draw(st.integers(5, 8)), draw(st.integers(5, 8)))
    shapes = (shape, shape) if name == "add" else (shape,)
    example = Example(
        shapes, attributes if ("pool2d" in name and name[0] != "a") or name == "avg_pool2d" else {}
    )
    in_dtypes = [draw(DTYPES) for _ in shapes]
    scales = [draw(SCALES) for _ in shapes]
    out = draw(DTYPES)
    graph = lowered(
        one_op(name, example, scales, draw(SCALES), out_dtype=out, in_dtypes=in_dtypes),
        draw(PROFILE),
    )
    agree(
        graph,
        {
            f"x{i}": extremes(random, shape, scales[i], top_of(in_dtypes[i]))
            for i in range(len(shapes))
        },
    )


@pytest.mark.parametrize("out_dtype", ["int8", "int16"])
@pytest.mark.parametrize("profile", PROFILES)
def test_zero_weights_and_near_tie_biases(profile: str, out_dtype: str) -> None:
    """12,800 accumulators through a whole graph; tests/conformance has more of each profile."""
    ratios = ties.ratios(64)
    weight = np.repeat(ratios, 100).astype(np.float32)[:, None]
    example = Example(((20, 1),), {}, weight.shape)
    prepared = one_op(
        "linear", example, [0.25], 0.25 / 127, weight=weight, bias=None, out_dtype=out_dtype
    )
    graph = lowered(prepared, profile)
    zero = dict(graph.constants) | {"op.weight": np.zeros(weight.shape, np.int8)}
    graph = replace(graph, constants=zero)
    for seed in range(2):
        bias = [ties.near_ties(r, 100, top_of(out_dtype), seed=seed) for r in ratios]
        slow = agree(
            with_bias(graph, "op", np.concatenate(bias)), {"x0": np.ones((1, 1), np.float32)}
        )
    assert len(np.unique(slow["op"])) > 100


@pytest.mark.parametrize("rounding", ["half_even", "half_up", "half_away"])
def test_quantize_on_ties(rounding: str) -> None:

    prepared = one_op("identity", Example(((1, 1200),)), [0.5], 0.5)
    graph = lowered(prepared, on=march(rounding=rounding))
    values = (np.arange(1200, dtype=np.float32) - 600) / 8
    values[:5] = np.inf, -np.inf, np.nextafter(np.float32(0.25), np.float32(0)), -0.25, 0.25
    slow = agree(graph, {"x0": values[None]})
    wanted = {
        "half_even": [127, -128, 0, 0, 0],
        "half_up": [127, -128, 0, 0, 1],
        "half_away": [127, -128, 0, -1, 1],
    }
    assert slow["op"][0, :5].tolist() == wanted[rounding]


@pytest.mark.parametrize("make", [residual_net, wandering_net])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_networks_at_any_batch(make, profile: str, dtype: str) -> None:
    graph = lowered(make(dtype), profile)
    random = np.random.default_rng(2)
    for batch in (1, 5):
        nodes = [graph.by_id[i] for i in graph.inputs]
        agree(
            graph,
            {
                n.address: random.normal(size=(batch, *n.output.shape[1:])).astype(np.float32)
                for n in nodes
            },
        )


def carriers_of(width: int, dtype: str, weight_dtype: str, relu: bool = False) -> str:
    weight = np.ones((1, width), np.float32)
    prepared = one_op(
        "linear",
        Example(((1, width),), {}, (1, width)),
        [1.0],
        1.0,
        dtype=dtype,
        weight=weight,
        bias=np.zeros(1, np.float32),
        weight_dtype=weight_dtype,
        relu_input=relu,
    )
    runtime = TorchRuntime(lowered(prepared))
    with pytest.MonkeyPatch.context() as without:
        without.setattr(onednn, "is_there", lambda: False)
        found = runtime.carriers["op"]
    low, high = runtime.ranges["r0" if relu else "q0"]
    largest = 127 if weight_dtype == "int8" else 32767
    assert found.bound == width * largest * max(-low, high)
    return found.dtype


def test_the_carrier_follows_the_bound() -> None:
    assert carriers_of(1032, "int8", "int8") == "float32"
    assert carriers_of(1033, "int8", "int8") == "float64"
    assert carriers_of(1033, "int8", "int8", relu=True) == "float32"
    assert carriers_of(4, "int16", "int8") == "float32"
    assert carriers_of(5, "int16", "int8") == "float32 twice"
    assert carriers_of(518, "int16", "int8") == "float32 twice"
    assert carriers_of(519, "int16", "int8") == "float64"
    assert carriers_of(2, "int16", "int16") == "float32 twice"
    assert carriers_of(3, "int16", "int16") == "float64"


def test_blocks_change_nothing(monkeypatch) -> None:
    monkeypatch.setattr("qflow.emulation.runtimes._blocks.BLOCK", 40)
    for profile in PROFILES:
        for dtype in ("int8", "int16"):
            graph = lay_out(lowered(residual_net(dtype, size=4), profile), "nhwc")
            image = np.random.default_rng(3).normal(size=(7, 3, 4, 4)).astype(np.float32)
            agree(graph, {"image": image})


@pytest.mark.parametrize("limits", [(1, 53), (1, 1)])
def test_every_carrier_gives_the_same(limits: tuple[int, int], monkeypatch) -> None:
    """Wider carriers than needed, down to the split sums that no real layer needs."""
    monkeypatch.setattr(gemm, "FLOAT32_BITS", limits[0])
    monkeypatch.setattr(gemm, "FLOAT64_BITS", limits[1])
    monkeypatch.setattr(onednn, "is_there", lambda: False)
    for profile in ("mul15", "tosa.double", "onnx.qdq"):
        for dtype in ("int8", "int16"):
            graph = lowered(residual_net(dtype, size=4), profile)
            kinds = {c.dtype for c in TorchRuntime(graph).carriers.values()}
            assert kinds == {"float64" if limits[1] == 53 else "int64"}
            agree(
                graph,
                {"image": np.random.default_rng(3).normal(size=(2, 3, 4, 4)).astype(np.float32)},
            )


def test_a_caller_cannot_make_it_inexact() -> None:
    """Autocast and a lower matmul precision around the run change nothing."""
    graph = lowered(residual_net(size=16))
    image = np.random.default_rng(0).normal(size=(20, 3, 16, 16)).astype(np.float32)
    want = oracle.run(graph, {"image": image})["logits"]
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            got = TorchRuntime(graph).run({"image": torch.from_numpy(image)})["logits"]
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    assert want.tobytes() == got.numpy().tobytes()
    assert not got.requires_grad


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_inputs_that_do_not_fit(kind: str) -> None:
    graph = lowered(wandering_net())

    def run(**inputs: np.ndarray) -> None:
        if kind == "numpy":
            oracle.run(graph, inputs)
            return
        TorchRuntime(graph).run({k: torch.from_numpy(v) for k, v in inputs.items()})

    image, other = np.zeros((2, 4, 6, 5), np.float32), np.zeros((2, 3, 6, 5), np.float32)
    for wrong in (
        {"image": image},
        {"image": image, "other": other, "more": other},
        {"image": image, "other": image},
        {"image": image[0], "other": other},
        {"image": image, "other": other[:1]},
        {"image": image, "other": np.array(1, np.float32)},
    ):
        with pytest.raises(QflowError, match="QF313"):
            run(**wrong)
    with pytest.raises(QflowError, match="QF403"):
        run(image=image + np.float32(np.nan), other=other)
    with pytest.raises(KeyError, match="nowhere"):
        oracle.run(graph, {"image": image, "other": other}, ["nowhere"])


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_max_pools_end_where_those_of_torch_do(kernel: int, stride: int, dilation: int) -> None:
    """With ceil_mode, windows that would start behind the image are left out."""
    for size in range(5, 11):
        for side in range(kernel // 2 + 1):
            attributes = {
                "kernel": (kernel, kernel),
                "stride": (stride, stride),
                "padding": (side,) * 4,
                "dilation": (dilation, dilation),
                "ceil": True,
            }
            example = Example(((1, 1, size, size),), attributes)
            graph = lowered(one_op("max_pool2d", example, [1.0], 1.0))
            image = np.random.default_rng(0).integers(-128, 128, (1, 1, size, size))
            want = torch.nn.functional.max_pool2d(
                torch.from_numpy(image).float(), kernel, stride, side, dilation, ceil_mode=True
            )
            got = agree(graph, {"x0": image.astype(np.float32)})["op"]
            assert np.array_equal(got, want.numpy())


@pytest.mark.parametrize("profile", PROFILES)
def test_a_residual_beyond_the_accumulator(profile: str) -> None:
    """The sum saturates: a residual of 3e11 steps beside a sum of -2e4 ends at the top."""
    example = conv_example((1, 2, 3, 3), 2, (1, 1), residual=True)
    weight = np.full(example.weight, 1e-9, np.float32)
    prepared = one_op("conv2d", example, [0.01, 0.01], 0.01, weight=weight, out_dtype="int32")
    shapes = example.shapes
    inputs = {"x0": np.full(shapes[0], -1, np.float32), "x1": np.full(shapes[1], 1, np.float32)}
    inputs["x1"][:, 1] = -1
    found = agree(lowered(prepared, profile), inputs)["op"]
    assert (found[:, 0].min(), found[:, 1].max()) == (2**31 - 1, -(2**31))


@pytest.mark.parametrize("profile", ["tosa.single", "tosa.double", "mul15"])
def test_a_sum_saturates_before_the_residual_comes(profile: str) -> None:
    """Of 12 bits here: both saturate, one after the other."""
    random = np.random.default_rng(3)
    example = conv_example((2, 8, 5, 5), 4, (3, 3), residual=True)
    weight = random.standard_normal(example.weight).astype(np.float32)
    graph = lowered(one_op("conv2d", example, [0.01, 0.002], 0.004, weight=weight), profile)
    narrow = tuple(
        replace(n, attributes={**n.attributes, "accumulator_bits": 12}) if n.op == "conv2d" else n
        for n in graph.nodes
    )
    inputs = {
        "x0": extremes(random, example.shapes[0], 0.01, 127),
        "x1": extremes(random, example.shapes[1], 0.002, 127),
    }
    agree(replace(graph, nodes=narrow), inputs)


@pytest.mark.parametrize("limits", [(-(1 << 31), 1 - (1 << 31)), ((1 << 31) - 2, (1 << 31) - 1)])
@pytest.mark.parametrize("name", ["linear", "matmul"])
def test_a_kept_accumulator_clamped_beyond_all_it_can_be(
    name: str, limits: tuple[int, int]
) -> None:
    random = np.random.default_rng(0)
    weight = random.standard_normal((6, 12)).astype(np.float32) if name == "linear" else None
    shapes = ((4, 12),) if name == "linear" else ((4, 3, 12), (4, 12, 6))
    bias = None if weight is None else np.zeros(6, np.float32)
    made = one_op(
        name,
        Example(shapes),
        [0.01] * len(shapes),
        1.0,
        weight=weight,
        bias=bias,
        out_dtype="int32",
    )
    graph = lowered(made)
    low, high = limits
    nodes = tuple(
        replace(n, attributes={**n.attributes, "low": low, "high": high}) if n.op == name else n
        for n in graph.nodes
    )
    inputs = {
        f"x{i}": random.standard_normal(shape).astype(np.float32) for i, shape in enumerate(shapes)
    }
    agree(replace(graph, nodes=nodes), inputs)


@pytest.mark.parametrize("profile", ["tosa.single", "tflite.reference"])
def test_sums_of_products_saturate_as_the_accumulator_does(profile: str) -> None:
    """That of int16 has 32 bits by default, and more in TFLite."""
    shapes = ((2, 3, 1024), (2, 1024, 2))
    made = one_op("matmul", Example(shapes), [2.0**-15] * 2, 2.0**-5, dtype="int16")
    graph = lowered(made, profile)
    ends = {f"x{i}": np.ones(shape, np.float32) for i, shape in enumerate(shapes)}
    found = agree(graph, ends)["op"]
    saturated = ((1 << 31) - 1) * 2.0**-30 / 2.0**-5
    assert np.all(np.abs(found - saturated) < 1) == (profile == "tosa.single")
