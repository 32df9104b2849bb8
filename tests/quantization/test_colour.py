"""A colour operator behind the input stub: the integers of the field's, on the stub's own grid."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qflow import functional, march
from qflow.diagnostics import QflowError
from qflow.emulation.lowering import lower
from qflow.emulation.op import op
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    insert_centered_yuv2bgr,
    insert_centered_yuv2rgb,
    prepare,
    record,
    set_fake_quantize,
)

MEAN, STD = (123.0, 116.0, 103.0), (58.0, 57.0, 56.0)


class Net(nn.Module):
    def __init__(self, pool: bool = False) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.pool = nn.MaxPool2d(1) if pool else nn.Identity()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.dequant(self.conv(self.pool(self.quant(image))))


def images(count: int = 4, seed: int = 0) -> Tensor:
    """Every corner of the cube and noise, RGB 0..255."""
    made = torch.randint(0, 256, (count, 3, 8, 8), generator=torch.Generator().manual_seed(seed))
    corners = torch.tensor(list(product((0, 255), repeat=3)))
    made[0, :, 0, :] = corners.T
    return made.float()


def normalized(rgb: Tensor, mean=MEAN, std=STD) -> Tensor:
    view = (3, 1, 1)
    return (rgb - torch.tensor(mean).reshape(view)) / torch.tensor(std).reshape(view)


def trained(net: nn.Module | None = None, data: Tensor | None = None):
    torch.manual_seed(0)
    data = normalized(images()) if data is None else data
    prepared = prepare((net or Net()).eval(), (data,), march="nash-m", input_names=("image",))
    set_fake_quantize(prepared, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        prepared(data)
    prepared.eval()
    set_fake_quantize(prepared, FakeQuantState.VALIDATION)
    return prepared


def integers(prepared, profile: str = "mul15"):
    return lower(record(prepared), march.load("nash-m"), profile).graph


@pytest.mark.parametrize("swing", ["full", "studio"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("profile", ["mul15", "tosa_single", "onnxruntime"])
def test_oracle_and_fast_path_agree_and_are_near_the_float_meaning(
    swing: str, order: str, profile: str
) -> None:
    rgb = images()
    given = rgb if order == "rgb" else rgb.flip(1)
    prepared = trained(data=normalized(given))
    insert = insert_centered_yuv2rgb if order == "rgb" else insert_centered_yuv2bgr
    deployed = insert(prepared, swing=swing, mean=MEAN, std=STD)
    graph = integers(deployed, profile)
    yuv = functional.rgb2centered_yuv(rgb, swing)
    keep = [n.id for n in graph.nodes if n.op != "input"]
    exact = oracle.run(graph, {"image": yuv.numpy()}, keep)
    fast = TorchRuntime(graph).run({"image": yuv}, keep)
    for key in keep:
        assert exact[key].tobytes() == fast[key].contiguous().numpy().tobytes()
    node = graph.by_id["quant"]
    assert (node.op, node.output.dtype) == ("conv2d", "int8")
    assert graph.by_id["quant_camera"].output.scale == 1.0
    assert np.array_equal(exact["quant_camera"], yuv.numpy().astype(np.int8))
    scale = prepared.quant.activation_post_process.scale
    assert np.array_equal(node.output.scale, scale.numpy())
    steps = exact["quant"].astype(np.float64)
    prepared_node = next(n for n in record(deployed).nodes if n.id == "quant")
    meaning = op("centered_yuv2rgb").meaning(prepared_node, yuv.double()) / float(scale)
    wide = meaning.clamp(-128, 127).numpy()
    assert np.abs(steps - wide).max() <= WITHIN[swing]
    back = normalized(given).double().numpy() / float(scale)
    assert np.abs(steps - np.clip(back, -128, 127)).max() <= CLOSE[swing]


WITHIN = {"full": 1.7, "studio": 2.0}
"""Largest error against the exact matrix, in steps of the stub's grid."""
CLOSE = {"full": 4.0, "studio": 4.0}
"""Largest distance from the model's own input after RGB became YUV and came back."""


def test_fake_quantized_and_integers_are_one_step_apart_at_most() -> None:
    deployed = insert_centered_yuv2rgb(trained(), swing="full", mean=MEAN, std=STD)
    yuv = functional.rgb2centered_yuv(images(seed=3), "full")
    graph = integers(deployed)
    exact = oracle.run(graph, {"image": yuv.numpy()}, ["quant"])["quant"]
    found: list[Tensor] = []
    deployed.quant.register_forward_hook(lambda m, a, y: found.append(y))
    with torch.no_grad():
        deployed(yuv)
    scale = float(deployed.quant.activation_post_process.scale)
    assert np.abs(found[0].numpy() / scale - exact).max() <= 1.01


def test_the_function_gives_what_the_operator_gives() -> None:
    prepared = trained()
    deployed = insert_centered_yuv2rgb(prepared, swing="full", mean=MEAN, std=STD)
    yuv = functional.rgb2centered_yuv(images(seed=4), "full")
    exact = oracle.run(integers(deployed), {"image": yuv.numpy()}, ["quant"])["quant"]
    scale = float(prepared.quant.activation_post_process.scale)
    shown = functional.centered_yuv2rgb(yuv, "full", MEAN, STD, scale)
    apart = (shown / scale).round().numpy() - exact
    assert np.abs(apart).max() <= 1
    assert (apart == 0).mean() > 0.99


def test_the_model_itself_and_its_scales_stay() -> None:
    prepared = trained()
    state = {k: v.clone() for k, v in prepared.state_dict().items()}
    x = normalized(images())
    with torch.no_grad():
        before = prepared(x)
    deployed = insert_centered_yuv2rgb(prepared, swing="full", mean=MEAN, std=STD)
    with torch.no_grad():
        assert torch.equal(prepared(x), before)
    assert state.keys() == prepared.state_dict().keys()
    after = deployed.state_dict()
    assert all(torch.equal(after[k], v) for k, v in state.items())
    yuv = functional.rgb2centered_yuv(images(), "full")
    with torch.no_grad():
        apart = (deployed(yuv) - before).abs().max() / before.abs().max()
    assert apart < 0.05


def test_a_scale_group_keeps_its_grid() -> None:
    deployed = insert_centered_yuv2rgb(trained(Net(pool=True)), swing="full", mean=128.0, std=128.0)
    graph = integers(deployed)
    pool = next(n for n in graph.nodes if n.op == "max_pool2d")
    assert np.array_equal(pool.output.scale, graph.by_id["quant"].output.scale)


def test_one_number_stands_for_three() -> None:
    prepared = trained()
    one = insert_centered_yuv2rgb(prepared, swing="full", mean=100.0, std=50.0)
    three = insert_centered_yuv2rgb(prepared, swing="full", mean=(100.0,) * 3, std=[50.0] * 3)
    assert torch.equal(one.quant.weight, three.quant.weight)
    assert torch.equal(one.quant.bias, three.quant.bias)


@pytest.mark.parametrize("swing", ["full", "studio"])
def test_weights_are_those_of_the_field(swing: str) -> None:
    deployed = insert_centered_yuv2rgb(trained(), swing=swing, mean=0.0, std=2.0)
    node = next(n for n in integers(deployed).nodes if n.id == "quant")
    graph = integers(deployed)
    weight = graph.constants[node.constants["weight"]][:, :, 0, 0].tolist()
    printed = {
        "full": [[91, 0, 127], [127, -44, -92], [72, 127, 0]],
        "studio": [[93, 0, 127], [127, -43, -89], [74, 127, 0]],
    }
    assert weight == printed[swing]
    scales = {"full": (0.0110, 0.0078, 0.0139), "studio": (0.0125, 0.0091, 0.0158)}[swing]
    assert np.allclose(graph.constants[node.constants["weight_scale"]], np.array(scales) / 2)
    offset = {"full": 128.0, "studio": 112 * 1.164}[swing]
    assert np.allclose(deployed.quant.bias.numpy(), offset / 2)


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant, self.quant2, self.dequant = QuantStub(), QuantStub(), DeQuantStub()
        self.conv = nn.Conv2d(6, 2, 1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.dequant(self.conv(torch.cat([self.quant(left), self.quant2(right)], 1)))


def test_one_of_two_inputs() -> None:
    x = normalized(images())
    prepared = prepare(TwoInputs().eval(), (x, x), march="nash-m", input_names=("left", "right"))
    set_fake_quantize(prepared, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        prepared(x, x)
    prepared.eval()
    with pytest.raises(QflowError, match="QF292"):
        insert_centered_yuv2rgb(prepared, swing="full", mean=MEAN, std=STD)
    deployed = insert_centered_yuv2rgb(prepared, swing="full", mean=MEAN, std=STD, input="right")
    set_fake_quantize(deployed, FakeQuantState.VALIDATION)
    graph = integers(deployed)
    assert {n.id for n in graph.nodes if n.op == "quantize"} == {"quant", "quant2_camera"}


class Scaled(Net):
    def forward(self, image: Tensor) -> Tensor:
        return super().forward(torch.relu(image))


class Grey(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant, self.conv = QuantStub(), DeQuantStub(), nn.Conv2d(1, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.dequant(self.conv(self.quant(image)))


def test_where_it_cannot_go() -> None:
    arguments = {"swing": "full", "mean": MEAN, "std": STD}
    prepared = trained()
    for wrong in ({"swing": "half"}, {"mean": (1.0, 2.0)}, {"std": 0.0}, {"mean": float("nan")}):
        with pytest.raises(QflowError, match="QF293"):
            insert_centered_yuv2rgb(prepared, **(arguments | wrong))
    with pytest.raises(QflowError, match="QF292"):
        insert_centered_yuv2rgb(prepared, **arguments, input="photo")
    with pytest.raises(QflowError, match="QF292"):
        insert_centered_yuv2rgb(prepared.train(), **arguments)
    with pytest.raises(QflowError, match="QF292"):
        insert_centered_yuv2rgb(trained(Grey(), images()[:, :1]), **arguments)
    outside = trained(Scaled())
    with pytest.raises(QflowError, match="QF292"):
        insert_centered_yuv2rgb(outside, **arguments)
    fresh = prepare(Net().eval(), (normalized(images()),), march="nash-m", input_names=("image",))
    with pytest.raises(QflowError, match="QF401"):
        insert_centered_yuv2rgb(fresh, **arguments)
    again = insert_centered_yuv2rgb(trained(), **arguments)
    with pytest.raises(QflowError, match="QF29"):
        insert_centered_yuv2rgb(again.train(), **arguments)
