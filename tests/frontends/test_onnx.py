"""ONNX: every operator computes what onnxruntime does; what is no plain model is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from qflow.diagnostics import QflowError
from qflow.frontends import parity, reading
from qflow.frontends.source import Source

F = TensorProto.FLOAT
RNG = np.random.default_rng(0)


def model(
    nodes: list[Any],
    constants: dict[str, np.ndarray],
    shape: tuple[Any, ...] = ("N", 4, 6, 6),
    opset: int = 17,
    rank: int = 4,
) -> onnx.ModelProto:
    """A model from `x` to `y`."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", F, shape)],
        [helper.make_tensor_value_info("y", F, [None] * rank)],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def read(made: onnx.ModelProto, folder: Path) -> Source:
    path = folder / "net.onnx"
    path.write_bytes(made.SerializeToString())
    return reading.read(path, "net.onnx")


def floats(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def one(op: str, **attributes: Any) -> Any:
    """A node of one operand, or of constants `a`, `b`, ... behind it."""
    return lambda names: helper.make_node(op, ["x", *names], ["y"], **attributes)


CASES: dict[str, tuple[Any, dict[str, np.ndarray], int]] = {
    "Conv": (one("Conv", pads=[1, 0, 2, 1], strides=[2, 1], group=2), {"a": floats(6, 2, 3, 3), "b": floats(6)}, 4),
    "Conv same": (one("Conv", auto_pad="SAME_UPPER", strides=[2, 2]), {"a": floats(3, 4, 3, 3)}, 4),
    "ConvTranspose": (one("ConvTranspose", strides=[2, 2], pads=[1, 1, 1, 1]), {"a": floats(4, 3, 3, 3)}, 4),
    "MatMul": (one("MatMul"), {"a": floats(6, 5)}, 4),
    "MaxPool": (one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1), {}, 4),
    "AveragePool": (one("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), {}, 4),
    "AveragePool counted": (one("AveragePool", kernel_shape=[2, 2], pads=[0, 0, 1, 1], count_include_pad=1), {}, 4),
    "GlobalAveragePool": (one("GlobalAveragePool"), {}, 4),
    "GlobalMaxPool": (one("GlobalMaxPool"), {}, 4),
    "BatchNormalization": (one("BatchNormalization"), {"a": floats(4), "b": floats(4), "c": floats(4), "d": floats(4) ** 2}, 4),
    "LayerNormalization": (one("LayerNormalization", axis=-1), {"a": floats(6), "b": floats(6)}, 4),
    "InstanceNormalization": (one("InstanceNormalization"), {"a": floats(4), "b": floats(4)}, 4),
    "Softmax": (one("Softmax", axis=1), {}, 4),
    "LeakyRelu": (one("LeakyRelu", alpha=0.2), {}, 4),
    "PRelu": (one("PRelu"), {"a": floats(4, 1, 1)}, 4),
    "Elu": (one("Elu", alpha=0.5), {}, 4),
    "HardSigmoid": (one("HardSigmoid", alpha=0.2), {}, 4),
    "HardSigmoid torch": (one("HardSigmoid", alpha=1 / 6), {}, 4),
    "HardSwish": (one("HardSwish"), {}, 4),
    "Softplus": (one("Softplus"), {}, 4),
    "Clip": (one("Clip"), {"a": np.float32(0), "b": np.float32(6)}, 4),
    "Clip wide": (one("Clip"), {"a": np.float32(-0.5), "b": np.float32(0.5)}, 4),
    "Erf": (one("Erf"), {}, 4),
    "Tanh": (one("Tanh"), {}, 4),
    "Add": (one("Add"), {"a": floats(4, 1, 1)}, 4),
    "Mul scalar": (one("Mul"), {"a": np.float32(0.3)}, 4),
    "Sub": (one("Sub"), {"a": floats(6)}, 4),
    "Div": (one("Div"), {"a": np.float32(3)}, 4),
    "Pow": (one("Pow"), {"a": np.float32(2)}, 4),
    "Reshape": (one("Reshape"), {"a": ints(0, -1)}, 2),
    "Flatten": (one("Flatten"), {}, 2),
    "Transpose": (one("Transpose", perm=[0, 2, 3, 1]), {}, 4),
    "Slice": (one("Slice"), {"a": ints(1, 0), "b": ints(4, 2**62), "c": ints(1, -1), "d": ints(1, 2)}, 4),
    "Gather": (one("Gather", axis=1), {"a": ints(2, 0)}, 4),
    "Squeeze": (one("Unsqueeze"), {"a": ints(1)}, 5),
    "Pad": (one("Pad"), {"a": ints(0, 0, 1, 2, 0, 0, 0, 1), "b": np.float32(0.5)}, 4),
    "Pad reflect": (one("Pad", mode="reflect"), {"a": ints(0, 0, 1, 1, 0, 0, 1, 1)}, 4),
    "Tile": (one("Tile"), {"a": ints(1, 2, 1, 1)}, 4),
    "ReduceMean": (one("ReduceMean", axes=[2, 3], keepdims=0), {}, 2),
    "ReduceSum": (one("ReduceSum"), {"a": ints(1)}, 4),
    "ReduceMax": (one("ReduceMax", axes=[1]), {}, 4),
    "ReduceL2": (one("ReduceL2", axes=[1]), {}, 4),
    "DepthToSpace": (one("DepthToSpace", blocksize=2, mode="CRD"), {}, 4),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_operator_is_what_onnxruntime_computes(tmp_path: Path, name: str) -> None:
    make, constants, rank = CASES[name]
    source = read(model([make(list(constants))], constants, rank=rank), tmp_path)
    x = torch.from_numpy(floats(2, 4, 6, 6))
    found = parity.measure(source, ["y"], [{"x": x}], "net.onnx")
    assert found is not None
    assert found.relative < 2e-6


def test_a_resize_by_scales(tmp_path: Path) -> None:
    for mode, where in (
        ("nearest", "asymmetric"),
        ("linear", "half_pixel"),
        ("linear", "align_corners"),
    ):
        how = {"mode": mode, "coordinate_transformation_mode": where, "nearest_mode": "floor"}
        node = helper.make_node("Resize", ["x", "", "s"], ["y"], **how)
        made = model([node], {"s": np.array([1, 1, 2, 2], np.float32)})
        found = parity.measure(read(made, tmp_path), ["y"], [{"x": torch.rand(2, 4, 6, 6)}], "n")
        assert found is not None
        assert found.relative < 2e-6, (mode, where)


def test_shapes_that_are_computed_follow_the_batch(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"], axis=0),
        helper.make_node("Unsqueeze", ["n", "axis"], ["n1"]),
        helper.make_node("Mul", ["n1", "two"], ["m"]),
        helper.make_node("Concat", ["m", "rest"], ["to"], axis=0),
        helper.make_node("Reshape", ["x", "to"], ["r"]),
        helper.make_node("Split", ["r"], ["p", "q"], axis=1),
        helper.make_node("Concat", ["q", "p"], ["y"], axis=1),
    ]
    constants = {"zero": np.int64(0), "axis": ints(0), "two": ints(2), "rest": ints(72)}
    source = read(model(nodes, constants, rank=2), tmp_path)
    cases = [{"x": torch.rand(n, 4, 6, 6)} for n in (1, 2, 5)]
    found = parity.measure(source, ["y"], cases, "net.onnx")
    assert found is not None
    assert found.difference == 0


def test_names_of_other_exporters_are_addresses(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "body.0.weight"], ["c"], name="Conv_0"),
        helper.make_node("Relu", ["c"], ["r"], name="Relu_1"),
        helper.make_node("Sigmoid", ["r"], ["s"], name="net/gate/Sigmoid"),
        helper.make_node("Add", ["s", "r"], ["y"]),
    ]
    source = read(model(nodes, {"body.0.weight": floats(4, 4, 1, 1)}), tmp_path)
    modules = dict(source.module.named_modules())
    assert {"body.0", "Relu_1", "net.gate"} <= modules.keys()
    assert isinstance(modules["net.gate"], torch.nn.Sigmoid)
    assert "body.0.weight" in source.module.state_dict()


def refused(code: str, made: onnx.ModelProto, folder: Path) -> str:
    with pytest.raises(QflowError) as caught:
        read(made, folder)
    assert [d.code for d in caught.value.diagnostics] == [code]
    return str(caught.value)


def test_what_is_no_plain_model(tmp_path: Path) -> None:
    other = model([helper.make_node("Relu", ["x"], ["y"], domain="ai.other")], {})
    other.opset_import.add(domain="ai.other", version=1)
    text = refused("QF364", other, tmp_path)
    assert "ai.other" in text
    text = refused("QF364", model([helper.make_node("Hardmax", ["x"], ["y"])], {}), tmp_path)
    assert "Hardmax" in text
    quantized = helper.make_node("DequantizeLinear", ["q", "s"], ["y"])
    first = helper.make_node("QuantizeLinear", ["x", "s"], ["q"])
    assert "quantized model" in refused(
        "QF364", model([first, quantized], {"s": np.float32(1)}), tmp_path
    )
    refused("QF362", model([helper.make_node("Relu", ["nowhere"], ["y"])], {}), tmp_path)
    large = helper.make_node("ConstantOfShape", ["n"], ["c"])
    add = helper.make_node("Add", ["x", "c"], ["y"])
    text = refused("QF364", model([large, add], {"n": ints(1 << 20, 1 << 20)}), tmp_path)
    assert "too large" in text


def test_a_branch_is_refused_with_its_node(tmp_path: Path) -> None:
    def branch(name: str, op: str) -> onnx.GraphProto:
        node = helper.make_node(op, ["x"], [name])
        return helper.make_graph([node], name, [], [helper.make_tensor_value_info(name, F, None)])

    nodes = [
        helper.make_node("ReduceSum", ["x"], ["t"], keepdims=0),
        helper.make_node("Cast", ["t"], ["b"], to=TensorProto.BOOL),
        helper.make_node(
            "If",
            ["b"],
            ["y"],
            "choice",
            then_branch=branch("u", "Relu"),
            else_branch=branch("v", "Neg"),
        ),
    ]
    assert "`If choice`" in refused("QF365", model(nodes, {}), tmp_path)


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", "link.bin", ""])
def test_tensors_outside_of_the_folder(tmp_path: Path, location: str) -> None:
    inside = tmp_path / "model"
    inside.mkdir()
    (tmp_path / "weights.bin").write_bytes(floats(4, 1, 1).tobytes())
    (inside / "link.bin").symlink_to(tmp_path / "weights.bin")
    made = model([helper.make_node("Add", ["x", "a"], ["y"])], {"a": floats(4, 1, 1)})
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    refused("QF363", made, inside)
    # beside the model is where they belong
    (inside / "weights.bin").write_bytes(floats(4, 1, 1).tobytes())
    tensor.external_data[0].value = "weights.bin"
    assert read(made, inside).inputs[0].name == "x"
    tensor.external_data.add(key="offset", value="8")
    tensor.external_data.add(key="length", value="16")
    refused("QF362", made, inside)


def test_functions_of_the_file_are_written_out(tmp_path: Path) -> None:
    twice = helper.make_function(
        "own", "Twice", ["u"], ["v"], [helper.make_node("Add", ["u", "u"], ["v"])],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    made = model([helper.make_node("Twice", ["x"], ["y"], domain="own")], {})
    made.opset_import.add(domain="own", version=1)
    made.functions.append(twice)
    x = torch.rand(2, 4, 6, 6)
    assert torch.equal(read(made, tmp_path).module(x), 2 * x)


def test_what_the_newer_exporter_of_torch_writes_beside_a_node(tmp_path: Path) -> None:
    node = helper.make_node("Relu", ["x"], ["y"], name="node_relu_3")
    told = {
        "pkg.torch.onnx.name_scopes": "['', 'body', 'body.act', 'relu']",
        "pkg.torch.onnx.class_hierarchy": "['net.Net', 'net.Body', "
        "'torch.nn.modules.activation.ReLU', 'aten.relu.default']",
    }
    for key, value in told.items():
        node.metadata_props.add(key=key, value=value)
    found = read(model([node], {}), tmp_path).module
    assert isinstance(found.get_submodule("body.act"), torch.nn.ReLU)
    # what is no list of names is left alone
    node.metadata_props[0].value = "__import__('os').system('false')"
    assert isinstance(
        read(model([node], {}), tmp_path).module.get_submodule("node_relu_3"), torch.nn.ReLU
    )
