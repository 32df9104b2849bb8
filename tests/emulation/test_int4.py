"""int4 weights: prepared, lowered, run and saved; every runtime computes the same integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from qflow import march as marches
from qflow.dtype import qint4, qint8
from qflow.emulation.file import load, save
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.layout import lay_out
from qflow.emulation.lowering import lower
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
