"""Every operator, exported and run: by onnxruntime in integers, without fusion, and by onnx.reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.emulation.graph import IntegerGraph
from qflow.emulation.runtimes import numpy as oracle
from qflow.export._model.finished import Finished
from qflow.export._onnx.session import Runnable
from qflow.export.onnx import Onnx
from qflow.quantization.prepared import PreparedNode
from tests.export.graphs import Net, export

Sources = tuple[str, ...]

INTEGER: dict[str, Callable[[Net], Sources]] = {
    "conv": lambda n: (n.conv("c", ("quant",), 0.03, (5, 4, 3, 3), padding=1),),
    "conv_without_bias": lambda n: (n.conv("c", ("quant",), 0.03, (5, 4, 1, 1), bias=False),),
    "conv_strided": lambda n: (n.conv("c", ("quant",), 0.03, (5, 4, 3, 3), stride=2),),
    "conv_dilated": lambda n: (n.conv("c", ("quant",), 0.03, (5, 4, 2, 2), dilation=2, padding=1),),
    "conv_grouped": lambda n: (n.conv("c", ("quant",), 0.02, (6, 2, 3, 3), groups=2, padding=1),),
    "conv_depthwise": lambda n: (n.conv("c", ("quant",), 0.02, (4, 1, 3, 3), groups=4),),
    "conv_relu": lambda n: (n.conv("c", ("quant",), 0.03, (5, 4, 3, 3), activation="relu"),),
    "conv_relu6": lambda n: (n.conv("c", ("quant",), 0.06, (5, 4, 3, 3), activation="relu6"),),
    "max_pool": lambda n: (n.pool("p", "max_pool2d", "quant", 0.02, 3, 2, 1),),
    "average_pool": lambda n: (n.pool("p", "avg_pool2d", "quant", 0.013, 3, 2, 1),),
    "global_average": lambda n: (n.add("p", "adaptive_avg_pool2d", ("quant",), 0.007),),
    "flatten_linear": lambda n: (
        n.gemm("l", "linear", (_flat(n),), 0.09, (7, 144), activation="relu"),
    ),
    "linear_on_rows": lambda n: (n.gemm("l", "linear", ("quant",), 0.02, (5, 6)),),
    "linear_on_rows_relu": lambda n: (
        n.gemm("l", "linear", ("quant",), 0.02, (6, 6), activation="relu"),
        n.conv("c", ("l",), 0.03, (5, 4, 3, 3)),
    ),
    "linear_on_rows_relu6": lambda n: (
        n.gemm("l", "linear", ("quant",), 0.06, (6, 6), activation="relu6"),
        n.conv("c", ("l",), 0.09, (5, 4, 3, 3)),
    ),
    "reshape": lambda n: (
        n.add("r", "reshape", ("quant",), 0.02, attributes={"shape": (2, 2, 36)}),
    ),
    "permute": lambda n: (
        n.add("p", "permute", ("quant",), 0.02, attributes={"dims": (0, 2, 1, 3)}),
    ),
    "cat": lambda n: (
        n.add(
            "cat",
            "cat",
            (n.conv("c", ("quant",), 0.02, (3, 4, 1, 1)), "quant"),
            0.02,
            attributes={"dim": 1},
        ),
    ),
    "identity": lambda n: (n.add("i", "identity", ("quant",), 0.02),),
    "two_outputs": lambda n: (
        n.conv("c", ("quant",), 0.03, (5, 4, 1, 1)),
        n.add("p", "adaptive_avg_pool2d", ("c",), 0.02),
    ),
    "one_tensor_twice": lambda n: (n.conv("c", ("quant",), 0.03, (5, 4, 1, 1)), "c"),
}
"""Onnxruntime has integer kernels: every integer must be the emulator's."""

FLOAT: dict[str, Callable[[Net], Sources]] = {
    "residual": lambda n: (_residual(n, None),),
    "residual_relu": lambda n: (_residual(n, "relu"),),
    "residual_relu6": lambda n: (_residual(n, "relu6"),),
    "add": lambda n: (n.add("a", "add", ("quant", _other(n)), 0.05),),
    "add_relu": lambda n: (n.add("a", "add", ("quant", _other(n)), 0.05, activation="relu"),),
    "relu": lambda n: (n.add("r", "relu", ("quant",), 0.013),),
    "relu6": lambda n: (n.add("r", "relu6", (n.conv("c", ("quant",), 0.09, (4, 4, 3, 3)),), 0.05),),
    "rescaled_cat": lambda n: (
        n.add("cat", "cat", ("quant", _other(n)), 0.025, attributes={"dim": 1}),
    ),
}
"""Onnxruntime computes in float32, whose sums are rounded in its own order: one step near a tie."""

WITHIN = 1
SELDOM = 0.01


def _flat(net: Net) -> str:
    return net.add("f", "flatten", ("quant",), net.input_scale, attributes={"start": 1, "end": -1})


def _other(net: Net) -> str:
    return net.conv("other", ("quant",), 0.017, (4, 4, 1, 1))


def _residual(net: Net, activation: str | None) -> str:
    more = {"padding": 1, "residual": True, "activation": activation}
    return net.conv("c", ("quant", _other(net)), 0.06, (4, 4, 3, 3), **more)


def exported(graph: IntegerGraph, folder: Path, **settings: object) -> Runnable:
    path = folder / "model.onnx"
    Onnx().write(Finished(graph), export(**settings), path)
    return Onnx().read(path)


def steps(graph: IntegerGraph, ours: dict, theirs: dict) -> np.ndarray:
    """Distance of each element in steps of its output."""
    found = []
    for name, id_ in graph.outputs:
        type_ = graph.by_id[graph.by_id[id_].inputs[0]].output
        assert ours[name].shape == theirs[name].shape
        assert ours[name].dtype == theirs[name].dtype == np.float32
        apart = np.abs(ours[name].astype(np.float64) - theirs[name])
        found.append((apart / type_.scale.astype(np.float64)).ravel())
    return np.rint(np.concatenate(found))


@pytest.mark.parametrize("case", INTEGER)
def test_integer_kernels_compute_the_integers_of_the_emulator(case: str, tmp_path: Path) -> None:
    net = Net()
    graph = net.lowered(*INTEGER[case](net))
    images = net.images()
    theirs = exported(graph, tmp_path).run(images, signed=True)
    assert not steps(graph, oracle.run(graph, images), theirs).any()


@pytest.mark.parametrize("case", INTEGER | FLOAT)
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_every_way_to_run_it_is_within_a_step(case: str, dtype: str, tmp_path: Path) -> None:
    net = Net(dtype=dtype)
    sources = (INTEGER | FLOAT)[case](net)
    images = net.images()
    for profile, fused in (("onnxruntime", True), ("onnx.qdq", False)):
        graph = net.lowered(*sources, profile=profile)
        apart = steps(
            graph, oracle.run(graph, images), exported(graph, tmp_path).run(images, fused=fused)
        )
        assert apart.max() <= WITHIN
        assert (apart > 0).mean() <= SELDOM


@pytest.mark.parametrize("case", INTEGER | FLOAT)
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_the_reference_implementation_reads_it(case: str, dtype: str, tmp_path: Path) -> None:
    from onnx.reference import ReferenceEvaluator

    net = Net(dtype=dtype)
    graph = net.lowered(*(INTEGER | FLOAT)[case](net), profile="onnx.qdq")
    images = net.images(2)
    runnable = exported(graph, tmp_path)
    names = [name for name, _ in graph.outputs]
    found = ReferenceEvaluator(runnable.model).run(names, images)
    apart = steps(graph, oracle.run(graph, images), dict(zip(names, found, strict=True)))
    assert apart.max() <= WITHIN
    assert (apart > 0).mean() <= SELDOM


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("activation", [None, "relu", "relu6"])
@pytest.mark.parametrize("op", ["conv2d", "linear"])
def test_a_kept_accumulator_comes_out_in_real_values(
    op: str, activation: str | None, dtype: str, tmp_path: Path
) -> None:
    net = Net(dtype=dtype)
    shape = (5, 4, 3, 3) if op == "conv2d" else (5, 144)
    source = "quant" if op == "conv2d" else _flat(net)
    last = net.conv if op == "conv2d" else lambda *a, **k: net.gemm(a[0], op, *a[1:], **k)
    graph = net.lowered(last("last", (source,), None, shape, activation=activation))
    images = net.images()
    ours, runnable = oracle.run(graph, images)["y"], exported(graph, tmp_path)
    for fused in (True, False):
        theirs = runnable.run(images, fused=fused)["y"]
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5 * np.abs(ours).max())


def test_int16_weights(tmp_path: Path) -> None:
    net = Net(dtype="int16", weight_dtype="int16")
    sources = (net.conv("c", ("quant",), 0.03, (5, 4, 1, 1), activation="relu"),)
    # four products of full int16 values would not fit into the accumulator
    images = {"image": net.images()["image"] / 4}
    for profile, fused in (("onnxruntime", True), ("onnx.qdq", False)):
        graph = net.lowered(*sources, profile=profile)
        theirs = exported(graph, tmp_path).run(images, fused=fused)
        apart = steps(graph, oracle.run(graph, images), theirs)
        assert apart.max() <= WITHIN
        assert (apart > 0).mean() <= SELDOM


def test_a_linear_tail_is_the_accumulator_times_its_scale(tmp_path: Path) -> None:
    """QGemm without an output grid: bit for bit."""
    net = Net()
    graph = net.lowered(net.gemm("l", "linear", (_flat(net),), None, (7, 144)))
    images = net.images()
    theirs = exported(graph, tmp_path).run(images)
    np.testing.assert_array_equal(oracle.run(graph, images)["y"], theirs["y"])


def test_products_at_the_ends_of_the_grid_do_not_saturate(tmp_path: Path) -> None:
    net = Net(shape=(16, 6, 6))
    graph = net.lowered(net.conv("c", ("quant",), 2.0, (8, 16, 3, 3), bias=False))
    graph.constants["c.weight"][:] = np.where(graph.constants["c.weight"] < 0, -127, 127)
    reach = net.input_scale * 127
    images = {"image": net.random.choice([-reach, reach], (4, 16, 6, 6)).astype(np.float32)}
    runnable = exported(graph, tmp_path)
    ours = oracle.run(graph, images)
    for signed in (True, False):
        assert not steps(graph, ours, runnable.run(images, signed=signed)).any()


@settings(max_examples=25, deadline=None)
@given(
    groups=st.integers(1, 3),
    per_group=st.integers(1, 3),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.integers(0, 2),
    seed=st.integers(0, 99),
    activation=st.sampled_from([None, "relu", "relu6"]),
)
def test_convolutions_of_any_shape(
    tmp_path_factory: pytest.TempPathFactory,
    groups: int,
    per_group: int,
    kernel: int,
    stride: int,
    dilation: int,
    padding: int,
    seed: int,
    activation: str | None,
) -> None:
    net = Net(shape=(groups * per_group, 7, 6), seed=seed)
    window = {"stride": stride, "dilation": dilation, "padding": min(padding, kernel - 1)}
    shape = (groups * 2, per_group, kernel, kernel)
    graph = net.lowered(
        net.conv("c", ("quant",), 0.02, shape, groups=groups, activation=activation, **window)
    )
    images = net.images(3)
    runnable = exported(graph, tmp_path_factory.mktemp("conv"))
    ours = oracle.run(graph, images)
    assert not steps(graph, ours, runnable.run(images, signed=True)).any()
    assert steps(graph, ours, runnable.run(images)).max() <= WITHIN


@pytest.mark.parametrize("scale", [0.02, 0.03])
def test_a_module_called_twice(scale: float, tmp_path: Path) -> None:
    """Its parameters are stored once per call: onnxruntime cannot make shared ones unsigned."""
    net = Net()
    net.conv("c", ("quant",), scale, (4, 4, 1, 1))
    net.nodes.append(replace(net.nodes[-1], id="c#1", inputs=("c",)))
    graph, images = net.lowered("c#1"), net.images()
    runnable = exported(graph, tmp_path)
    ours = oracle.run(graph, images, keep=("c", "c#1"))
    theirs = runnable.run(images, signed=True, keep=("c", "c#1"))
    for id_ in ("c", "c#1"):
        np.testing.assert_array_equal(ours[id_], theirs[id_])
    assert steps(graph, ours, runnable.run(images, keep=("c",))).max() <= WITHIN
    stored = {t.name for t in runnable.model.graph.initializer}
    assert {"c.weight", "c#1.weight", "c.bias", "c#1.bias"} <= stored
    assert runnable.tensors["c#1.weight"]["tensor"] == "c#1.weight"


def test_a_dequantized_tensor_is_quantized_again(tmp_path: Path) -> None:
    net = Net()
    net.conv("c", ("quant",), None, (4, 4, 1, 1))
    net.nodes.append(PreparedNode("float", "float", "dequant", ("c",), out_dtype="float32"))
    net.add("again", "quant", ("float",), 0.05)
    graph = net.lowered(net.conv("last", ("again",), 0.03, (3, 4, 1, 1)))
    images, keep = net.images(), ("again", "last")
    ours = oracle.run(graph, images, keep=keep)
    theirs = exported(graph, tmp_path).run(images, signed=True, keep=keep)
    for id_ in keep:
        assert np.abs(ours[id_].astype(int) - theirs[id_]).max() <= 1
