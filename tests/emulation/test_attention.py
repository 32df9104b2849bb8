"""Attention that stays whole: several integer nodes, and what hides a score."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from qflow import march as marches
from qflow.dtype import DTYPES, qint8
from qflow.emulation.lowering import lower
from qflow.emulation.op import op
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    prepare,
    record,
    set_fake_quantize,
)
from qflow.quantization.qconfig import MinMaxObserver, get_qconfig
from tests.emulation.nets import Net

LEAST = {"int8": 0.99, "int16": 0.9999}


class Causal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.qkv, self.out = nn.Linear(32, 96), nn.Linear(32, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.qkv(self.quant(x)).reshape(-1, 10, 3, 4, 8).permute(2, 0, 3, 1, 4)
        y = scaled_dot_product_attention(x[0], x[1], x[2], is_causal=True)
        return self.dequant(self.out(y.permute(0, 2, 1, 3).reshape(-1, 10, 32)))


@pytest.mark.parametrize("method", ["symbolic", "jit-strip"])
@pytest.mark.parametrize("dtype", LEAST)
def test_causal_attention_computes_what_it_simulates(dtype: str, method: str) -> None:
    torch.manual_seed(0)
    model, x = Causal().eval(), torch.randn(2, 10, 32)
    kind = DTYPES[dtype]
    config = get_qconfig(MinMaxObserver, in_dtype=None, weight_dtype=qint8, out_dtype=kind)
    prepared = prepare(model, (x,), config, method, march="generic", out_dir=None)
    set_fake_quantize(prepared.eval(), FakeQuantState.CALIBRATION)
    with torch.no_grad():
        prepared(x)
        set_fake_quantize(prepared, FakeQuantState.VALIDATION)
        simulated = prepared(x).numpy().ravel()
    graph = lower(record(prepared), marches.load("generic"), "tosa.single").graph
    assert any(n.id.endswith(".shares") for n in graph.nodes) == (method == "symbolic")
    name = graph.by_id[graph.inputs[0]].address
    (found,) = oracle.run(graph, {name: x.numpy()}).values()
    (quick,) = TorchRuntime(graph).run({name: x}).values()
    assert np.array_equal(found, quick.numpy())
    cosine = found.ravel() @ simulated / np.linalg.norm(found) / np.linalg.norm(simulated)
    assert cosine > LEAST[dtype]


def attended(kind: str, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Integers of attention with a mask, and the float meaning of its operands on their grids."""
    random = np.random.default_rng(3)
    net = Net(dtype)
    top = DTYPES[dtype].qmax
    names, shapes = ("q", "k", "v"), ((2, 3, 5, 4), (2, 3, 6, 4), (2, 3, 6, 7))
    ids = [net.input(n, s, scale=4 / top) for n, s in zip(names, shapes, strict=True)]
    given = {
        n: random.normal(size=s).astype(np.float32) for n, s in zip(names, shapes, strict=True)
    }
    if kind == "added":
        ids.append(net.input("m", (2, 1, 5, 6), scale=2 / top))
        given["m"] = random.normal(size=(2, 1, 5, 6)).astype(np.float32) / 3
    attributes = {"causal": kind == "causal", "scale": 0.7}
    made = net.add(
        "attention", "scaled_dot_product_attention", *ids, scale=3 / top, attributes=attributes
    )
    graph = lower(
        net.graph(y=net.add("d", "dequant", made)), marches.load("generic"), "tosa.single"
    ).graph
    keep = [*ids, "attention"]
    found = oracle.run(graph, given, keep)
    quick = TorchRuntime(graph).run({k: torch.from_numpy(x) for k, x in given.items()}, keep)
    assert np.array_equal(found["attention"], quick["attention"].numpy())
    operands = [
        torch.from_numpy(found[i].astype(np.float64) * float(graph.by_id[i].output.scale[0]))
        for i in ids
    ]
    wanted = scaled_dot_product_attention(
        *operands[:3],
        attn_mask=operands[3] if kind == "added" else None,
        is_causal=kind == "causal",
        scale=0.7,
    )
    return found["attention"], wanted.numpy() / (3 / top)


@pytest.mark.parametrize("dtype", LEAST)
@pytest.mark.parametrize("kind", ["plain", "causal", "added"])
def test_it_is_near_the_meaning(kind: str, dtype: str) -> None:
    found, wanted = attended(kind, dtype)
    assert np.abs(found - wanted).max() < op("scaled_dot_product_attention").within[dtype]


def test_a_query_sees_nothing_behind_its_own_place() -> None:
    """The first query of causal attention takes the first value, whatever the others are."""
    found, _ = attended("causal", "int16")
    again, _ = attended("causal", "int16")
    assert np.array_equal(found, again)
    net = Net("int16")
    ids = [net.input(n, (2, 5, 4), scale=0.0001) for n in ("q", "k", "v")]
    attributes = {"causal": True, "scale": None}
    made = net.add(
        "attention", "scaled_dot_product_attention", *ids, scale=0.0001, attributes=attributes
    )
    graph = lower(
        net.graph(y=net.add("d", "dequant", made)), marches.load("generic"), "tosa.single"
    ).graph
    random = np.random.default_rng(0)
    given = {n: random.normal(size=(2, 5, 4)).astype(np.float32) for n in ("q", "k", "v")}
    kept = oracle.run(graph, given, ["attention.shares", "attention", ids[2]])
    assert np.array_equal(np.triu(kept["attention.shares"], 1), np.zeros((2, 5, 5)))
    assert np.abs(kept["attention"][:, 0] - kept[ids[2]][:, 0]).max() <= 1
