"""Profiles against runtimes nobody here wrote: 0 mismatches on near-tie accumulators."""

from __future__ import annotations

import numpy as np
import pytest

from qflow.emulation.profile import Ratio, profile
from tests.emulation import ties

SCALES = 64
PER_SCALE = 2000


def accumulators(high: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Weight scales [SCALES], accumulators [SCALES, PER_SCALE], and the scales of input and output."""
    x, y = np.float32(0.0371), np.float32(0.0213)
    w = (ties.ratios(SCALES) * float(y) / float(x)).astype(np.float32)
    # exact powers of two as well: the products of these three scales have short mantissas
    exact = w.astype(np.float64) * float(x) / float(y)
    acc = np.stack([ties.near_ties(r, PER_SCALE, high, seed=i) for i, r in enumerate(exact)])
    return w, acc, np.atleast_1d(x), np.atleast_1d(y)


def powers_of_two(high: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The same with every scale a power of two: half of the accumulators are exact ties."""
    w = np.ldexp(np.float32(1), -np.arange(SCALES) % 24).astype(np.float32)
    acc = np.stack([ties.near_ties(float(r) / 4, PER_SCALE, high, seed=i) for i, r in enumerate(w)])
    return w, acc, np.array([0.125], np.float32), np.array([0.5], np.float32)


@pytest.mark.parametrize("make", [accumulators, powers_of_two])
def test_onnxruntime_qlinearconv(make) -> None:
    """Zero weights and an arbitrary int32 bias: nothing but the rescale is left."""
    onnx = pytest.importorskip("onnx")
    ort = pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    w, acc, x, y = make(127)
    channels = acc.size
    per_channel = np.repeat(w, PER_SCALE)
    zero = np.zeros((), np.int8)
    initial = {
        "x_scale": x[0],
        "x_zero": zero,
        "w": np.zeros((channels, 1, 1, 1), np.int8),
        "w_scale": per_channel,
        "w_zero": np.zeros(channels, np.int8),
        "y_scale": y[0],
        "y_zero": zero,
        "bias": acc.reshape(-1).astype(np.int32),
    }
    names = ["x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero", "bias"]
    graph = helper.make_graph(
        [helper.make_node("QLinearConv", names, ["y"])],
        "rescale",
        [helper.make_tensor_value_info("x", TensorProto.INT8, [1, 1, 1, 1])],
        [helper.make_tensor_value_info("y", TensorProto.INT8, [1, channels, 1, 1])],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in initial.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = ort.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    theirs = session.run(None, {"x": np.ones((1, 1, 1, 1), np.int8)})[0].reshape(acc.shape)
    ours = [
        profile("onnxruntime").rescale(
            a, profile("onnxruntime").rescale_constants(Ratio((x, s), (y,)))
        )
        for a, s in zip(acc, w[:, None], strict=True)
    ]
    assert acc.size >= 100_000
    assert np.count_nonzero(np.clip(ours, -128, 127) != theirs) == 0


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("make", [accumulators, powers_of_two])
def test_onnx_reference_qdq(make, dtype: str) -> None:
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    kind = TensorProto.INT8 if dtype == "int8" else TensorProto.INT16
    w, acc, x, y = make(high)
    graph = helper.make_graph(
        [
            helper.make_node("DequantizeLinear", ["acc", "acc_scale"], ["real"], axis=0),
            helper.make_node("QuantizeLinear", ["real", "y_scale", "y_zero"], ["y"]),
        ],
        "qdq",
        [
            helper.make_tensor_value_info("acc", TensorProto.INT32, acc.shape),
            helper.make_tensor_value_info("acc_scale", TensorProto.FLOAT, [SCALES]),
            helper.make_tensor_value_info("y_scale", TensorProto.FLOAT, []),
            helper.make_tensor_value_info("y_zero", kind, []),
        ],
        [helper.make_tensor_value_info("y", kind, acc.shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    feeds = {
        "acc": acc.astype(np.int32),
        "acc_scale": (x * w).astype(np.float32),
        "y_scale": y[0],
        "y_zero": np.zeros((), dtype),
    }
    theirs = ReferenceEvaluator(model).run(None, feeds)[0]
    rule = profile("onnx.qdq")
    ours = [
        rule.rescale(a, rule.rescale_constants(Ratio((x, s), (y,))))
        for a, s in zip(acc, w[:, None], strict=True)
    ]
    assert np.count_nonzero(np.clip(ours, low, high) != theirs) == 0


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("name", ["tosa.single", "tosa.double"])
@pytest.mark.parametrize("make", [accumulators, powers_of_two])
def test_tosa_reference_model_rescale(make, name: str, dtype: str) -> None:
    tosa = pytest.importorskip("tosa_serializer")
    model = pytest.importorskip("tosa_reference_model")
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    w, acc, x, y = make(high)
    made = profile(name).rescale_constants(Ratio((x, w), (y,)))
    kind = tosa.DType.INT8 if dtype == "int8" else tosa.DType.INT16
    values = np.ascontiguousarray(acc.T.astype(np.int32))  # channels last

    writer = tosa.TosaSerializer("", tosa.ConstMode.EMBED, 1, 1, 0, True)
    source = writer.addPlaceholder(list(values.shape), tosa.DType.INT32)
    constants = [
        writer.addConst([SCALES], tosa.DType.INT32, made["multiplier"]),
        writer.addConst([SCALES], tosa.DType.INT8, made["shift"].astype(np.int8)),
        writer.addConst([1], tosa.DType.INT32, np.zeros(1, np.int32)),
        writer.addConst([1], kind, np.zeros(1, dtype)),
    ]
    target = writer.addOutput(list(values.shape), kind)
    modes = tosa.RoundingMode
    attribute = tosa.TosaSerializerAttribute()
    attribute.RescaleAttribute(
        scale32=True,
        rounding_mode=modes.DOUBLE_ROUND if name == "tosa.double" else modes.SINGLE_ROUND,
        per_channel=True,
        input_unsigned=False,
        output_unsigned=False,
    )
    inputs = [source.name, *(getattr(c, "name", c) for c in constants)]
    writer.addOperator(tosa.Op.RESCALE, inputs, [target.name], attribute)
    outputs, status = model.run(writer.serialize(), [values])
    assert status == model.GraphStatus.TOSA_VALID
    ours = np.clip(profile(name).rescale(values.astype(np.int64), made), low, high)
    assert np.count_nonzero(ours != outputs[0].view(dtype)) == 0
