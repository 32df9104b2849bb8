"""What rules leave float: islands from a .qf text to both runtimes, on every kind of target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, fx, nn

from qflow import compile as compiler
from qflow import march as marches
from qflow.diagnostics import QflowError
from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.lang.parse import parse
from qflow.lang.program import program_of
from qflow.plan.plan import GraphSpec, Plan
from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    prepare_plan,
    record,
    set_fake_quantize,
)
from qflow.tracing import Traced, trace
from tests.emulation.converted import cosine


class Block(nn.Module):
    """A fusion at an add, and one before it."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.bn, self.relu = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()
        self.two = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.two(self.relu(self.bn(self.one(x)))) + x)


class Gate(nn.Module):
    """What only a trace of its own can tell the operators of."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(4, 4, 1)
        self.register_buffer("shift", torch.linspace(-1, 1, 4).reshape(1, 4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        first, last = (x * torch.sigmoid(self.mix(x)) + self.shift).chunk(2, 1)
        return torch.cat([last, first], 1)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant, self.places = QuantStub(), DeQuantStub(), DeQuantStub()
        self.stem, self.block, self.pool = nn.Conv2d(1, 4, 3, padding=1), Block(), nn.MaxPool2d(2)
        self.gate, self.average, self.head = Gate(), nn.AdaptiveAvgPool2d(1), nn.Linear(4, 6)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.pool(self.block(self.stem(self.quant(image))))
        first, last = x.split(2, 1)
        x = self.gate(torch.cat([last, first], 1))
        return self.dequant(self.head(self.average(x).flatten(1))), self.places(x)


CONSTANT = "gate._generated_constant_0"
PROGRAM = """qflow 1
model net {{
  entry  = "a:b"
  input  = {{image: float32[N, 1, 6, 6]}}
  output = {{y: float32[N, 6], z: float32[N, 4, 3, 3]}}
}}
target board {{ march = "{march}" }}
data calib {{ loader = "a:c" }}
graph {{ {graph} }}
quantize {{
{rules}
}}
schedule {{ stage calibrate on calib {{ state "**" = calibration }} }}
"""


def example(batch: int = 4) -> Tensor:
    return torch.randn(batch, 1, 6, 6, generator=torch.Generator().manual_seed(batch))


@cache
def net() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Net().eval()


@cache
def traced(leaf: str) -> Traced:
    graph = GraphSpec(leaf_types=(leaf,)) if leaf else GraphSpec()
    return trace(net(), {"image": example(2)}, ("y", "z"), "a:b", graph)


@dataclass(frozen=True)
class Made:
    plan: Plan
    model: fx.GraphModule
    graph: IntegerGraph

    @property
    def islands(self) -> set[str]:
        return {n.address for n in self.graph.nodes if n.op == "island"}


def made(rules: str, march: str = "nash-m", leaf: str = "") -> Made:
    graph = f"leaf type {leaf}" if leaf else ""
    parsed = parse(PROGRAM.format(march=march, rules=rules, graph=graph), "x.qf")
    assert parsed.file is not None
    done = compiler.compile(program_of(parsed.file), traced(leaf).inventory, {})
    assert done.plan is not None, done.diagnostics
    target = marches.load(march)
    model = prepare_plan(traced(leaf), done.plan, target)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(example())
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return Made(done.plan, model, lower(record(model), target, target.profile).graph)


def both(graph: IntegerGraph, x: Tensor) -> Mapping[str, np.ndarray]:
    """Every node, equal to the bit in both runtimes."""
    keep = [n.id for n in graph.nodes if n.op != "input"]
    slow = oracle.run(graph, {"image": x.numpy()}, keep)
    quick = TorchRuntime(graph).run({"image": x}, keep)
    for name, value in slow.items():
        assert value.tobytes() == quick[name].contiguous().numpy().tobytes(), name
    return slow


RULES = {
    "a gemm": 'default use w8a8\nmatch "block.one" float',
    "a residual": 'default use w8a8\nmatch "block.two", "pool" float',
    "what moves": "default use w8a8\nmatch op split, op cat, op flatten float",
    "stubs": 'default use w8a8\nmatch "quant", "head" float',
    "little is quantized": 'default float\nmatch "block.one", op mul, "average" use w8a8',
}


ON = [
    ("a gemm", "nash-m"),
    ("a residual", "onnxruntime"),
    ("what moves", "bm1684x"),
    ("what moves", "nash-m"),
    ("stubs", "tflite"),
    ("little is quantized", "nash-m"),
    ("little is quantized", "bm1684x"),
]


@pytest.mark.parametrize(("rules", "march"), [(RULES[r], m) for r, m in ON], ids=map("-".join, ON))
def test_both_runtimes_agree_and_follow_the_fake_quantized_model(rules: str, march: str) -> None:
    found = made(rules, march)
    floats = {m.address for m in found.plan.modules if m.out and m.out.value == "float32"}
    # some targets hold a constant in what reads it
    assert found.islands >= {a for a in floats if a not in ("dequant", "places", CONSTANT)}
    values = both(found.graph, example())
    with torch.no_grad():
        rounded = found.model(example())
    for name, expected in zip("yz", rounded, strict=True):
        assert cosine(values[name], expected.numpy()) >= 0.99


def test_all_of_it_float_is_the_float_model(tmp_path: Path) -> None:
    found = made("default float", leaf="Gate")
    assert all(n.output.dtype == "float32" for n in found.graph.nodes)
    assert not found.plan.stages[0].states
    file.save(found.graph, tmp_path / "x.qnn")
    again = file.load(tmp_path / "x.qnn")
    for batch in (4, 1, 3):
        values = both(again, example(batch))
        with torch.no_grad():
            for name, expected in zip("yz", net()(example(batch)), strict=True):
                assert np.allclose(values[name], expected.numpy(), atol=1e-5)


def test_a_leaf_is_one_address_and_all_its_operators() -> None:
    found = made("default use w8a8", leaf="Gate")
    row = next(m for m in found.plan.modules if m.address == "gate")
    assert (row.act, row.weight, row.output_dtype) == (None, None, "float32")
    inside = [n for n in found.graph.nodes if n.address == "gate" and n.op == "island"]
    ran = sorted(n.attributes["op"] for n in inside)
    assert ran == "add cat chunk chunk constant conv2d identity mul sigmoid".split()
    values = both(found.graph, example())
    with torch.no_grad():
        read = torch.from_numpy(values["_generated_cat_0.float"])
        expected = net().get_submodule("gate")(read)
    assert np.allclose(values["gate"], expected.numpy(), atol=1e-6)


def test_what_a_leaf_computes_must_be_known() -> None:
    class Strange(Gate):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    model = nn.Sequential(QuantStub(), nn.Conv2d(1, 4, 1), Strange(), DeQuantStub()).eval()
    graph = GraphSpec(leaf_types=("Strange",))
    found = trace(model, {"image": example(2)}, ("y",), "a:b", graph)
    text = PROGRAM.format(march="nash-m", rules="default use w8a8", graph="leaf type Strange")
    text = text.replace("{y: float32[N, 6], z: float32[N, 4, 3, 3]}", "{y: float32[N, 4, 6, 6]}")
    parsed = parse(text, "x.qf")
    assert parsed.file is not None
    plan = compiler.compile(program_of(parsed.file), found.inventory, {}).plan
    assert plan is not None
    prepared = prepare_plan(found, plan, marches.load("nash-m"))
    set_fake_quantize(prepared, FakeQuantState.CALIBRATION)
    prepared(example())
    with pytest.raises(QflowError, match="QF502: `2` stays float") as refused:
        record(prepared)
    assert "values of its operands decide" in refused.value.diagnostics[0].notes[0]
