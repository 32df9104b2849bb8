"""Random networks: the integer model is what the rules say, to the bit, and survives its file."""

import inspect
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._pytree import tree_flatten

import qflow
from qflow.dtype import qint4, qint8, qint16
from qflow.emulation.runtimes import numpy as oracle
from qflow.export import export
from qflow.march import load
from qflow.qat_mode import set_qat_mode
from qflow.quantization import DeQuantStub, FakeQuantState, QuantStub, prepare, set_fake_quantize
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.qconfig import QConfig
from qflow.tracing.with_bn import MODES
from tests.export.int64 import Int64


class Net(nn.Module):
    """Layers in a random order between stubs, some shared, some residual, a few outputs."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        dice = random.Random(seed)
        torch.manual_seed(seed)
        self.quants = nn.ModuleList(QuantStub() for _ in range(2))
        self.dequant, self.dropout = DeQuantStub(), nn.Dropout()
        self.layers, self.steps = nn.ModuleList(), []
        self.tails: list[str] = []
        kinds = ["conv", "conv", "bn", "add", "residual", "cat", "relu", "pool", "shared", "drop"]
        for _ in range(dice.randint(3, 7)):
            kind = dice.choice(kinds)
            groups, dilation = dice.choice([1, 4]), dice.choice([1, 2])
            conv = nn.Conv2d(4, 4, 3, 1, dilation, dilation, groups, bias=dice.random() < 0.8)
            bn = nn.BatchNorm2d(4)
            bn.running_mean.normal_()
            bn.running_var.uniform_(0.3, 3)
            bn.weight.data.uniform_(-1, 2)
            made = {"bn": nn.Sequential(conv, bn), "pool": nn.MaxPool2d(3, 1, 1)}
            self.layers.append(made.get(kind, conv))
            act = dice.choice(["", "relu", "relu6"])
            self.steps.append((kind, act, dice.choice([-1, -1, -2]), dice.random() < 0.5))
        self.thin, self.head = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 3, 1)
        self.pool, self.score = nn.AdaptiveAvgPool2d(1), nn.Linear(4, 3)
        self.tail = dice.choice(["", "nhwc", "flat", "both"])

    def forward(self, batch: dict[str, Tensor], other: Tensor) -> dict[str, Any]:
        known = [self.quants[0](batch["image"]), self.quants[1](other)]
        for (kind, act, place, left), layer in zip(self.steps, self.layers, strict=True):
            x = known[place]
            y = layer(x) if kind in ("conv", "bn", "pool", "residual") else x
            if kind == "residual":
                y = y + x if left else x + y
            elif kind == "add":
                y = known[-1] + known[-2]
            elif kind == "cat":
                y = self.thin(torch.cat([known[-1], known[-2]], 1))
            elif kind == "shared" and isinstance(self.layers[0], nn.Conv2d):
                y = self.layers[0](x)
            elif kind == "drop":
                y = self.dropout(x)
            known.append(getattr(functional, act)(y) if act else y)
        x = self.dequant(self.head(known[-1]))
        if self.tail in ("nhwc", "both"):
            x = x.permute(0, 2, 3, 1)
        if self.tail in ("flat", "both"):
            x = x.reshape(x.shape[0], -1)
        results = {"map": [x], "last": self.dequant(known[-1])}
        if self.tail == "":
            results["score"] = self.dequant(self.score(self.pool(known[-2]).flatten(1)))
        return results


def images(seed: int, reach: float = 1.0) -> tuple[dict[str, Tensor], Tensor]:
    made = torch.Generator().manual_seed(seed)
    first, second = (reach * torch.randn(3, 4, 5, 6, generator=made) for _ in range(2))
    return {"image": first}, second


def qconfig(dice: random.Random, march: str) -> QConfig:
    def grid(*dtypes: Any, **more: Any) -> Any:
        return FakeQuantize.with_args(dtype=dice.choice(dtypes), **more)

    narrow = qint4 if march == "generic" else qint8
    weight = grid(qint8, narrow, qscheme=torch.per_channel_symmetric, ch_axis=0)
    return QConfig(grid(qint8, qint8, qint16), weight, dice.choice([None, None, grid(qint8)]))


@pytest.mark.parametrize("seed", range(24))
def test_integers_are_what_the_rules_say(seed: int, tmp_path: Path) -> None:
    dice = random.Random(1000 + seed)
    march, mode = dice.choice(["nash-m", "generic"]), dice.choice(MODES)
    net = Net(seed).eval()
    net.qconfig = qconfig(dice, march)
    for layer in net.layers:
        if dice.random() < 0.3:
            layer.qconfig = qconfig(dice, march)
    set_qat_mode(mode)
    try:
        model = prepare(net, images(1), march=march, out_dir=None).eval()
    finally:
        set_qat_mode(MODES[0])
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        model(*images(2))
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    integer = export(model, images(1))
    # beyond what calibration saw, so that values saturate
    given = images(3, 2.0)
    found, form = tree_flatten(integer(*given))
    bound = inspect.signature(model.forward).bind(*given)
    wanted = Int64(model, load(march)).run(*model.graph.process_inputs(*bound.args))
    names = integer.structure.outputs
    assert form == tree_flatten(model(*given))[1]
    ports = {port.name: port for port in integer.outputs}
    whole = tree_flatten(integer.run_integer(*given))[0]
    for name, ours, theirs, q in zip(names, found, tree_flatten(wanted)[0], whole, strict=True):
        assert torch.equal(ours, theirs), name
        port = ports[name]
        shape = [-1 if d == port.axis else 1 for d in range(q.dim())]
        step = torch.from_numpy(port.scale)
        assert torch.equal(q.float() * (step if port.axis is None else step.reshape(shape)), ours)
    inputs = {k: v.numpy() for k, v in integer.tensors(given, {}).items()}
    for graph in (integer.graph, integer.device_graph):
        for name, ours in zip(names, found, strict=True):
            np.testing.assert_array_equal(oracle.run(graph, inputs)[name], ours.numpy())
    integer.save(tmp_path / "model")
    again, same = tree_flatten(qflow.load(tmp_path / "model")(*given))
    assert same == form
    assert all(torch.equal(a, b) for a, b in zip(again, found, strict=True))
