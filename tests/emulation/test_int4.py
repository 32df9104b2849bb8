"""int4 weights: prepared, lowered, run and saved; every runtime computes the same integers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from torch import nn

from qflow import march as marches
from qflow.diagnostics import QflowError
from qflow.dtype import qint4, qint8
from qflow.emulation.file import load, save
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.layout import lay_out
from qflow.emulation.lowering import lower
from qflow.emulation.packing import pack, unpack, weight_bytes
from qflow.emulation.record import Damaged
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.quantization import FakeQuantState, prepare, record, set_fake_quantize
from qflow.quantization.qconfig import MinMaxObserver, get_qconfig
from tests.emulation.build import PROFILES, lowered
from tests.emulation.nets import Net
from tests.networks import residual


def small_net() -> IntegerGraph:
    net = Net(weight_dtype="int4", seed=3)
    x = net.input("image", (2, 3, 8, 8))
    a = net.conv("stem", x, channels=(3, 8), scale=0.03, activation="relu")
    b = net.conv("block", a, a, channels=(8, 8), scale=0.04, residual=True, activation="relu6")
    g = net.add("global", "adaptive_avg_pool2d", b, scale=0.02)
    f = net.add("flat", "flatten", g, scale=0.02, attributes={"start": 1, "end": -1})
    h = net.linear("head", f, (8, 5), None)
    return net.graph(logits=net.add("dequant", "dequant", h))


def weights(graph: IntegerGraph) -> dict[str, np.ndarray]:
    return {key: array for key, array in graph.constants.items() if key.endswith(".weight")}


def same_everywhere(graph: IntegerGraph, inputs: dict[str, np.ndarray]) -> None:
    keep = [n.id for n in graph.nodes if n.op != "input"]
    slow = oracle.run(graph, inputs, keep)
    quick = TorchRuntime(graph).run({n: torch.from_numpy(x) for n, x in inputs.items()}, keep)
    for key in keep:
        assert slow[key].tobytes() == quick[key].contiguous().numpy().tobytes()


@pytest.mark.parametrize("profile", PROFILES)
def test_weights_fill_the_grid_and_runtimes_agree(profile: str, tmp_path: Path) -> None:
    graph = lay_out(lowered(small_net(), profile), "nhwc")
    found = weights(graph)
    assert len(found) == 3
    for array in found.values():
        assert array.dtype == np.int8
        assert (array.min(), array.max()) == (-7, 7)
    images = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    same_everywhere(graph, {"image": images})
    save(graph, tmp_path / "a.safetensors")
    back = load(tmp_path / "a.safetensors")
    assert all(np.array_equal(back.constants[k], v) for k, v in graph.constants.items())
    assert back.bits == graph.bits == dict.fromkeys(found, 4)
    stored = load_tensors((tmp_path / "a.safetensors").read_bytes())
    for key, array in found.items():
        assert stored[key].dtype == np.uint8
        assert stored[key].shape == ((array.size + 1) // 2,)
    sizes = {graph.by_id[i].constants["weight"]: n for i, n in weight_bytes(back).items()}
    assert sizes == {key: stored[key].nbytes for key in found}


@settings(max_examples=60, deadline=None)
@given(arrays(np.int8, array_shapes(max_dims=4, max_side=5), elements=st.integers(-8, 7)))
def test_what_is_packed_comes_back(values: np.ndarray) -> None:
    packed = pack(values)
    assert packed.nbytes == (values.size + 1) // 2
    back = unpack(packed, values.shape)
    assert back.dtype == np.int8
    assert np.array_equal(back, values)


def test_the_first_of_two_is_in_the_low_half() -> None:
    assert pack(np.array([1, -1, -8], np.int8)).tolist() == [0xF1, 0x08]


DAMAGES = {
    "a byte is missing": lambda tensors, header: tensors.update(w=tensors["w"][:-1].copy()),
    "a byte too many": lambda tensors, header: tensors.update(
        w=np.append(tensors["w"], np.uint8(0))
    ),
    "another dtype": lambda tensors, header: tensors.update(w=tensors["w"].astype(np.int8)),
    "a larger shape": lambda tensors, header: header["packed"].update(w=[1 << 40, 1 << 40]),
    "a shape with 0": lambda tensors, header: header["packed"].update(w=[0, 3]),
    "no shape": lambda tensors, header: header["packed"].update(w=[]),
    "a hundred axes": lambda tensors, header: header["packed"].update(w=[1] * 100),
    "a shape of words": lambda tensors, header: header["packed"].update(w=["3"]),
    "what is not there": lambda tensors, header: header["packed"].update(nothing=[2]),
    "the shape is left out": lambda tensors, header: header["packed"].pop("w"),
    "no packed": lambda tensors, header: header.pop("packed"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_packed_weights_are_refused(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save(lowered(small_net()), path)
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["qflow"])
    tensors = load_tensors(data)
    key = "stem.weight"
    named = {"w": tensors[key]}
    header["packed"] = {"w" if k == key else k: v for k, v in header["packed"].items()}
    DAMAGES[damage](named, header)
    if "w" in header.get("packed", {}):
        header["packed"][key] = header["packed"].pop("w")
    path.write_bytes(save_tensors({**tensors, key: named["w"]}, {"qflow": json.dumps(header)}))
    with pytest.raises(QflowError, match="QF318"):
        load(path)


def test_an_odd_number_leaves_nothing_behind_its_end() -> None:
    with pytest.raises(Damaged, match="behind their end"):
        unpack(np.array([0x21, 0x10], np.uint8), (3,))


def test_a_model_prepared_with_int4_weights_computes_what_it_simulates() -> None:
    torch.manual_seed(0)
    x = residual.example()[0]
    config = get_qconfig(MinMaxObserver, in_dtype=None, weight_dtype=qint4, out_dtype=qint8)
    prepared = prepare(residual.stubbed(), x, config, "symbolic", march="generic", out_dir=None)
    assert isinstance(prepared, nn.Module)
    set_fake_quantize(prepared.eval(), FakeQuantState.CALIBRATION)
    with torch.no_grad():
        prepared(x)
        set_fake_quantize(prepared, FakeQuantState.VALIDATION)
        simulated = prepared(x).numpy()
    graph = lower(record(prepared), marches.load("generic"), "onnx.qdq").graph
    assert all(np.abs(a).max() <= 8 for a in weights(graph).values())
    (name,) = graph.inputs
    same_everywhere(graph, {name: x.numpy()})
    emulated = oracle.run(graph, {name: x.numpy()})[graph.outputs[0][0]]
    largest = np.abs(simulated).max()
    assert np.abs(emulated - simulated).max() < 0.05 * largest
