"""Inputs and outputs as the export block asks for them: layout, dtype, names, free batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from qflow.diagnostics import QflowError
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.runtimes import numpy as oracle
from qflow.export._model.finished import Finished
from qflow.export.onnx import Onnx
from tests.export.graphs import Net, export


def image_out(net: Net) -> IntegerGraph:
    return net.lowered(net.conv("c", ("quant",), 0.03, (5, 4, 3, 3), padding=1))


def conv_tail(net: Net, **more: object) -> IntegerGraph:
    return net.lowered(net.conv("c", ("quant",), None, (5, 4, 3, 3), **more))


def linear_tail(net: Net, **more: object) -> IntegerGraph:
    flat = net.add("f", "flatten", ("quant",), 0.02, attributes={"start": 1, "end": -1})
    return net.lowered(net.gemm("l", "linear", (flat,), None, (5, 144), **more))


def session(path: Path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("image", ["float32", "int8"])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("y", ["float32", "int8"])
def test_whatever_the_file_takes_and_gives_the_model_is_the_same(
    image: str, layout: str, y: str, tmp_path: Path
) -> None:
    net = Net()
    graph, images = image_out(net), net.images()
    path = tmp_path / "model.onnx"
    settings = {"layout": {"image": layout, "y": layout}, "dtype": {"image": image, "y": y}}
    Onnx().write(Finished(graph), export(**settings), path)
    theirs = Onnx().read(path).run(images, signed=True)["y"]
    np.testing.assert_array_equal(oracle.run(graph, images)["y"], theirs)
    (took,), (gave,) = session(path).get_inputs(), session(path).get_outputs()
    assert took.name == "image"
    assert gave.name == "y"
    assert took.shape == (["N", 4, 6, 6] if layout == "nchw" else ["N", 6, 6, 4])
    assert gave.shape == (["N", 5, 6, 6] if layout == "nchw" else ["N", 6, 6, 5])
    assert took.type == ("tensor(float)" if image == "float32" else "tensor(int8)")
    assert gave.type == ("tensor(float)" if y == "float32" else "tensor(int8)")


@pytest.mark.parametrize("activation", [None, "relu", "relu6"])
@pytest.mark.parametrize("tail", [linear_tail, conv_tail])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_an_int32_output_is_the_accumulator(tail, activation, layout: str, tmp_path: Path) -> None:
    net = Net()
    graph, images = tail(net, activation=activation), net.images()
    last = graph.nodes[-2].id
    shapes = {"y": layout} if tail is conv_tail else {}
    path = tmp_path / "model.onnx"
    Onnx().write(Finished(graph), export(layout=shapes, dtype={"y": "int32"}), path)
    ours = oracle.run(graph, images, keep=(last,))
    assert np.abs(ours[last].astype(np.int64)).max() > 10_000
    raw = session(path).run(["y"], images)[0]
    assert raw.dtype == np.int32
    expected = ours[last].transpose(0, 2, 3, 1) if "nhwc" in shapes.values() else ours[last]
    np.testing.assert_array_equal(raw, expected)
    for fused in (True, False):
        theirs = Onnx().read(path).run(images, fused=fused, keep=(last,))
        np.testing.assert_array_equal(theirs[last], ours[last])
        np.testing.assert_array_equal(theirs["y"], ours["y"])


def test_an_int16_matrix_product_runs_in_int32(tmp_path: Path) -> None:
    net = Net(dtype="int16")
    graph, images = linear_tail(net), net.images()
    Onnx().write(
        Finished(graph), export(dtype={"y": "int32", "image": "int16"}), tmp_path / "m.onnx"
    )
    ours = oracle.run(graph, images, keep=("l",))
    theirs = Onnx().read(tmp_path / "m.onnx").run(images, keep=("l",))
    assert np.abs(ours["l"].astype(np.int64)).max() > 1 << 24
    np.testing.assert_array_equal(theirs["l"], ours["l"])


@pytest.mark.parametrize(
    ("more", "why"),
    [({"dtype": "int16"}, "int16 inputs"), ({"weight_dtype": "int16"}, "int16 weights")],
)
def test_an_accumulator_onnx_cannot_compute_is_refused(
    more: dict, why: str, tmp_path: Path
) -> None:
    graph = conv_tail(Net(**more))
    with pytest.raises(QflowError, match=why) as error:
        Onnx().write(Finished(graph), export(dtype={"y": "int32"}), tmp_path / "model.onnx")
    assert error.value.diagnostics[0].code == "QF501"
    assert not list(tmp_path.iterdir())


def test_an_accumulator_with_a_residual_is_refused(tmp_path: Path) -> None:
    net = Net()
    graph = net.lowered(net.conv("c", ("quant", "quant"), None, (4, 4, 1, 1), residual=True))
    with pytest.raises(QflowError, match="residual"):
        Onnx().write(Finished(graph), export(dtype={"y": "int32"}), tmp_path / "model.onnx")


@pytest.mark.parametrize("dtype", [{"y": "int16"}, {"image": "int16"}, {"y": "int32"}])
def test_a_dtype_the_tensor_does_not_have_is_refused(dtype: dict, tmp_path: Path) -> None:
    with pytest.raises(QflowError, match="cannot be exported as"):
        Onnx().write(Finished(image_out(Net())), export(dtype=dtype), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("count", [1, 3, 17])
@pytest.mark.parametrize("build", [image_out, linear_tail])
def test_the_batch_is_free(count: int, build, tmp_path: Path) -> None:
    net = Net()
    graph, images = build(net), net.images(count)
    Onnx().write(Finished(graph), export(), tmp_path / "model.onnx")
    theirs = Onnx().read(tmp_path / "model.onnx").run(images, signed=True)["y"]
    np.testing.assert_array_equal(oracle.run(graph, images)["y"], theirs)


def test_a_node_with_the_name_of_an_output_keeps_out_of_its_way(tmp_path: Path) -> None:
    net = Net()
    graph = net.lowered(net.conv("y", ("quant",), 0.03, (5, 4, 1, 1)), "quant")
    images = net.images()
    Onnx().write(Finished(graph), export(), tmp_path / "model.onnx")
    theirs = Onnx().read(tmp_path / "model.onnx").run(images, signed=True)
    ours = oracle.run(graph, images)
    for name in ("y", "y1"):
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_intermediate_integers_are_those_of_the_emulator(tmp_path: Path) -> None:
    net = Net()
    net.conv("first", ("quant",), 0.03, (5, 4, 3, 3), activation="relu")
    graph = net.lowered(net.conv("second", ("first",), 0.03, (5, 5, 1, 1)))
    images, kept = net.images(), ("quant", "first", "second")
    Onnx().write(Finished(graph), export(), tmp_path / "model.onnx")
    theirs = Onnx().read(tmp_path / "model.onnx").run(images, signed=True, keep=kept)
    ours = oracle.run(graph, images, keep=kept)
    for id_ in kept:
        assert theirs[id_].dtype == np.int8
        np.testing.assert_array_equal(ours[id_], theirs[id_])


def test_an_accumulator_in_real_values_cannot_be_kept(tmp_path: Path) -> None:
    net = Net()
    graph, images = linear_tail(net), net.images()
    Onnx().write(Finished(graph), export(), tmp_path / "model.onnx")
    with pytest.raises(KeyError, match="no integers"):
        Onnx().read(tmp_path / "model.onnx").run(images, keep=("l",))
