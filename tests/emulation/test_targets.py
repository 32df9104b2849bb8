"""From a torch model to a file, per target: both runtimes run it alike, near fake-quant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import qflow
from qflow import march as marches
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.export import export
from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    prepare,
    record,
    set_fake_quantize,
)
from qflow.quantization.qconfig_template import default_calibration_qconfig_setter
from tests.emulation.converted import cosine

SOPHGO = ("bm1684", "bm1684x", "bm1688", "cv18xx")
SIGNED_ONLY = ("cv18xx",)
"""Families whose integers are signed whatever the values."""
MARCHES = (*SOPHGO, "tflite", "onnxruntime", "tosa", "bayes", "bernoulli2", "nash-e", "nash-p")
CLASSIFIED_BY_CONVOLUTION = ("bernoulli2",)
"""Marches without a linear layer."""


class Net(nn.Module):
    """Convolutions, relus, a sum, two parts joined, pools, a sigmoid as gate, a classifier."""

    def __init__(self, pointwise: bool) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.left = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.right = nn.Sequential(nn.Conv2d(8, 4, 1), nn.ReLU())
        self.gate = nn.Conv2d(12, 12, 1)
        self.pool = nn.MaxPool2d(2)
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Conv2d(12, 5, 1) if pointwise else nn.Linear(12, 5)
        self.pointwise = pointwise

    def forward(self, image: Tensor) -> Tensor:
        x = self.stem(self.quant(image))
        x = torch.cat([torch.relu(x + self.left(x)), self.right(x)], 1)
        x = self.pool(x * torch.sigmoid(self.gate(x)))
        x = self.mean(x)
        return self.dequant(self.head(x if self.pointwise else x.flatten(1)))


def images(seed: int, count: int = 4) -> Tensor:
    return torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed))


def calibrated(march: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = Net(march in CLASSIFIED_BY_CONVOLUTION).eval()
    setter = default_calibration_qconfig_setter
    made = prepare(net, (images(1),), setter, march=march, out_dir=None).eval()
    set_fake_quantize(made, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        for seed in range(2, 6):
            made(images(seed))
    set_fake_quantize(made.eval(), FakeQuantState.VALIDATION)
    return made


def require_alike(graph: IntegerGraph, image: Tensor) -> np.ndarray:
    """The first output; every node of both runtimes is equal to the bit."""
    keep = [n.id for n in graph.nodes if n.op != "input"]
    slow = oracle.run(graph, {"image": image.numpy()}, keep)
    quick = TorchRuntime(graph).run({"image": image}, keep)
    for name, value in slow.items():
        assert value.tobytes() == quick[name].contiguous().numpy().tobytes(), name
    return slow[graph.outputs[0][0]]


@pytest.mark.parametrize("march", MARCHES)
def test_a_convolutional_network(march: str, tmp_path: Path) -> None:
    made = calibrated(march)
    integer = export(made, (images(1),))
    integer.save(tmp_path / "net.safetensors")
    again = qflow.load(tmp_path / "net.safetensors")
    for batch in (4, 1):
        image = images(7, batch)
        found = require_alike(again.graph, image)
        with torch.no_grad():
            rounded = made(image).numpy()
        assert found.shape == rounded.shape
        assert cosine(found, rounded) >= 0.99
        assert found.tobytes() == integer(image).contiguous().numpy().tobytes()
    nodes = again.graph.nodes
    assert not [n.id for n in nodes if n.op == "island"]


@pytest.mark.parametrize("march", SOPHGO)
def test_what_was_never_negative_is_unsigned_on_the_sophgo_targets(march: str) -> None:
    recorded = record(calibrated(march))
    lowest = {n.id: n.grid.lowest for n in recorded.nodes if n.grid is not None}
    assert lowest["quant"] is not None
    assert lowest["quant"] < 0
    assert lowest["stem.0"] == 0 == lowest["right.0"]
    target = marches.load(march)
    graph = lower(recorded, target, target.profile).graph
    dtypes = {n.id: n.output.dtype for n in graph.nodes}
    assert dtypes["quant"] == "int8"
    expected = "int8" if march in SIGNED_ONLY else "uint8"
    assert dtypes["stem.0"] == expected == dtypes["right.0"]


@pytest.mark.parametrize("profile", ["xnnpack", "tflite.builtin", "tflite.reference"])
def test_the_profiles_of_tflite(profile: str) -> None:
    made = calibrated("tflite")
    graph = lower(record(made), marches.load("tflite"), profile).graph
    assert graph.profile == profile
    image = images(7)
    with torch.no_grad():
        assert cosine(require_alike(graph, image), made(image).numpy()) >= 0.99
