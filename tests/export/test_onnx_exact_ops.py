"""Operators one by one in the exact target, by rules of many profiles: every tensor is the oracle's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from qflow.diagnostics import QflowError
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.op import op
from qflow.emulation.runtimes import numpy as oracle
from qflow.export._model.finished import Finished
from qflow.export.onnx_integer import OnnxInteger
from qflow.plan.plan import ExportPlan
from tests.emulation import ties
from tests.emulation.build import march
from tests.emulation.case import case
from tests.export.graphs import Net, export

OPERATORS = (
    ("softmax", 0, "int8", "mul15"),
    ("softmax", 0, "int8", "tflite.reference"),
    ("softmax", 0, "int8", "onnxruntime"),
    ("layer_norm", 2, "int8", "mul15"),
    ("gelu", 0, "int16", "mul15"),
    ("batch_norm", 0, "int8", "tosa.single"),
    ("conv1d", 1, "int16", "tosa.double"),
    ("conv3d", 0, "int8", "mul15"),
    ("conv2d", 4, "uint8", "onnx.qdq"),
    ("matmul", 0, "int16", "mul15"),
    ("upsample", 1, "int8", "mul15"),
    ("topk", 0, "int8", "mul15"),
    ("embedding", 0, "int8", "mul15"),
    ("pad", 1, "uint8", "mul15"),
    ("prelu", 1, "int8", "xnnpack"),
    ("mean", 0, "int8", "tflite.builtin"),
    ("div", 0, "int8", "mul15"),
    ("div", 0, "int16", "shift"),
)


def written(graph: IntegerGraph, path: Path, **settings: object) -> object:
    OnnxInteger().write(Finished(graph), export(**settings), path)
    return OnnxInteger().read(path)


@pytest.mark.parametrize(("name", "index", "dtype", "profile"), OPERATORS)
def test_every_tensor_is_that_of_the_oracle(
    name: str, index: int, dtype: str, profile: str, tmp_path: Path
) -> None:
    made = case(op(name), op(name).examples[index], dtype, dtype == "uint8", seed=1)
    graph = lower(made.graph, march(), profile).graph
    kept = [n.id for n in graph.nodes if n.op not in ("input", "dequantize")]
    ours = oracle.run(graph, made.inputs, kept)
    theirs = written(graph, tmp_path / "x.onnx").run(made.inputs, keep=kept)
    for id_ in (*kept, *(n for n, _ in graph.outputs)):
        np.testing.assert_array_equal(ours[id_], theirs[id_])


@pytest.mark.parametrize("profile", ["mul15", "tosa.double", "tflite.reference", "onnxruntime"])
@pytest.mark.parametrize("fused", [True, False])
def test_near_ties(profile: str, fused: bool, tmp_path: Path) -> None:
    """Weights of 0 and any bias: every accumulator is next to a tie of its rescale."""
    ratio = 2.0**-7 if profile == "mul15" else 0.0113
    near = ties.near_ties(ratio, 256, 127, seed=3)
    net = Net(shape=(1, 2, 2))
    conv = net.conv("conv", ("quant",), 0.05, (near.size, 1, 1, 1))
    graph = net.lowered(conv, profile=profile)
    node = graph.by_id["conv"]
    held = dict(graph.constants)
    held[node.constants["bias"]] = near.astype(np.int32)
    held[node.constants["weight"]] = np.zeros_like(held[node.constants["weight"]])
    graph = IntegerGraph(graph.march, graph.profile, graph.nodes, graph.inputs, graph.outputs, held)
    images = net.images(2)
    ours = oracle.run(graph, images, ["conv"])["conv"]
    theirs = written(graph, tmp_path / "x.onnx").run(images, keep=("conv",), fused=fused)["conv"]
    assert np.unique(ours).size > 50
    np.testing.assert_array_equal(ours, theirs)


def test_the_batch_is_free_and_ports_are_as_asked(tmp_path: Path) -> None:
    net = Net(shape=(3, 6, 6))
    pool = net.pool(
        "pool", "max_pool2d", net.conv("c", ("quant",), 0.05, (4, 3, 3, 3)), 0.05, 2, 2, 0
    )
    graph = net.lowered(pool, profile="mul15")
    asked = {"layout": {"image": "nhwc", "y": "nhwc"}, "dtype": {"image": "int8", "y": "int8"}}
    runnable = written(graph, tmp_path / "x.onnx", **asked)
    assert runnable.profile == "mul15"
    for batch in (1, 5):
        images = net.images(batch)
        np.testing.assert_array_equal(oracle.run(graph, images)["y"], runnable.run(images)["y"])


def test_what_it_cannot_write_is_refused_with_its_address(tmp_path: Path) -> None:
    made = case(op("grid_sample"), op("grid_sample").examples[0], "int8", False)
    graph = lower(made.graph, march(), "mul15").graph
    with pytest.raises(QflowError) as error:
        OnnxInteger().write(
            Finished(graph), ExportPlan("onnx_integer", "x.onnx", ()), tmp_path / "x"
        )
    (found,) = error.value.diagnostics
    assert found.code == "QF502"
    assert "`grid_sample`, at `op`" in found.message
    assert not list(tmp_path.iterdir())
