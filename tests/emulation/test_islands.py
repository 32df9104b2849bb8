"""Float islands: what a march lacks runs between a dequantize and a quantize, alike everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qflow import march as marches
from qflow.diagnostics import QflowError
from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import Lowered, lower
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.quantization import DeQuantStub, QuantStub
from tests.emulation.converted import Converted, convert, cosine


class Net(nn.Module):
    """A layer, something else, a layer; the sum and the relu may be fused to the first."""

    def __init__(self, middle: nn.Module | None, fused: str = "") -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.first, self.middle, self.last = nn.Linear(8, 8), middle, nn.Linear(8, 4)
        self.fused = fused

    def forward(self, x: Tensor) -> Tensor:
        x = self.quant(x)
        y = self.first(x)
        if "add" in self.fused:
            y = y + x
        if "relu" in self.fused:
            y = torch.relu(y)
        y = y if self.middle is None else self.middle(y)
        return self.dequant(self.last(y))


def example(batch: int = 4) -> Tensor:
    return torch.randn(batch, 6, 8, generator=torch.Generator().manual_seed(1))


def lowered(middle: nn.Module | None, march: str, fused: str = "") -> Converted:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = Net(middle, fused).eval()
    return convert(net, (example(),), {}, march, "int8", "float")


def both(graph: IntegerGraph, x: Tensor) -> dict[str, np.ndarray]:
    """Every node, equal to the bit in both runtimes."""
    keep = [n.id for n in graph.nodes if n.op != "input"]
    slow = oracle.run(graph, {"x": x.numpy()}, keep)
    quick = TorchRuntime(graph).run({"x": x}, keep)
    for name, value in slow.items():
        assert value.tobytes() == quick[name].contiguous().numpy().tobytes(), name
    return slow


ISLANDS = [
    (lambda: nn.LayerNorm(8), "bm1684x", "layer_norm", "measured: float16"),
    (lambda: nn.Softmax(-1), "bm1684x", "softmax", "only along axis 1"),
    (lambda: nn.SiLU(), "tflite", "silu", "no integer kernel"),
    (lambda: nn.GELU(), "onnxruntime", "gelu", "no quantized operator"),
    (lambda: nn.LayerNorm(8), "bernoulli2", "layer_norm", "does not list it"),
]


@pytest.mark.parametrize(("middle", "march", "op", "why"), ISLANDS)
def test_an_operator_the_march_lacks(
    middle: Callable[[], nn.Module], march: str, op: str, why: str, tmp_path: Path
) -> None:
    made = lowered(middle(), march)
    by_id = made.graph.by_id
    island = by_id["middle.island"]
    assert island.attributes["op"] == op
    assert (island.output.dtype, by_id["middle"].op) == ("float32", "quantize")
    assert [by_id[i].op for i in island.inputs] == ["dequantize"]
    assert any("middle" in n and why in n for n in made.graph.notes)
    found = next(d for d in made.lowered.diagnostics if "middle" in d.message)
    assert (found.code, found.severity) == ("QF520", "warning")
    assert why in found.notes[0]
    file.save(made.graph, tmp_path / "x.qnn")
    again = file.load(tmp_path / "x.qnn")
    for batch in (4, 1, 5):
        x = example(batch)
        values = both(again, x)
        assert all(v.tobytes() == values[k].tobytes() for k, v in both(made.graph, x).items())
        for name, rounded in made.fake_quant({"x": x}).items():
            assert cosine(values[name], rounded.numpy()) >= 0.99


@pytest.mark.parametrize("fused", ["add", "relu", "add relu"])
def test_what_is_fused_to_an_island_runs_on_floats_behind_it(fused: str) -> None:
    made = lowered(None, "bernoulli2", fused)
    islands = [n.attributes["op"] for n in made.graph.nodes if n.op == "island"]
    assert islands == ["linear", *fused.split(), "linear"]
    x = example()
    values = both(made.graph, x)
    for name, rounded in made.fake_quant({"x": x}).items():
        assert cosine(values[name], rounded.numpy()) >= 0.99
    covered = made.coverage
    assert covered.operators.integer == 0
    assert {f.why for f in covered.floats} == {"bernoulli2 does not list it"}


def again(made: Converted, march: str) -> Lowered:
    target = marches.load(march)
    return lower(made.prepared, target, target.profile)


def test_without_islands_it_is_refused() -> None:
    with pytest.raises(QflowError) as refused:
        again(lowered(nn.Softmax(-1), "bm1684x"), "bm1684x")
    (found,) = refused.value.diagnostics
    assert found.code == "QF502"
    assert "middle" in found.message
    assert "only along axis 1" in found.message


HOSTILE: list[dict[str, Any]] = [
    {"op": "no_such_operator"},
    {"op": "island"},
    {"op": ["softmax"]},
    {"op": "softmax"},
    {"op": "softmax", "dim": "last"},
    {"op": "softmax", "dim": 10**9},
    {"op": "repeat", "repeats": [10**6, 10**6, 10**6]},
    {"op": "reshape", "shape": [-1, 10**12]},
    {"op": "linear"},
    {"op": "embedding"},
    {"op": "batch_norm", "eps": 1e-5},
    {"op": "softmax", "dim": -1, "more": [10**9]},
    {},
]


@pytest.mark.parametrize("attributes", HOSTILE)
def test_hostile_attributes_are_refused(attributes: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "x.qnn"
    file.save(lowered(nn.Softmax(-1), "bm1684x").graph, path)
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    outer = json.loads(data[8 : 8 + size])
    header = json.loads(outer["__metadata__"]["qflow"])
    (node,) = (n for n in header["nodes"] if n["op"] == "island")
    node["attributes"] = attributes
    outer["__metadata__"]["qflow"] = json.dumps(header)
    text = json.dumps(outer).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])
    with pytest.raises(QflowError) as refused:
        file.load(path)
    assert {d.code for d in refused.value.diagnostics} == {"QF318"}
