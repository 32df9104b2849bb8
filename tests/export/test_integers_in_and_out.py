"""Integers in and out of the integer model: a QTensor for an argument, a QTensor for a result."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qflow import QTensor
from qflow.diagnostics import QflowError
from qflow.emulation.lowering import lower
from qflow.emulation.op import op
from qflow.emulation.runtimes import numpy as oracle
from qflow.export import IntegerModel, export
from qflow.quantization import DeQuantStub, FakeQuantState, QuantStub, prepare, set_fake_quantize
from tests.emulation.build import march
from tests.emulation.case import case

IMAGE = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
SIDE = torch.randn(2, 4, 4, 5, generator=torch.Generator().manual_seed(1))


class Net(nn.Module):
    """Two inputs; an accumulator and int8 integers come out."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.quant_side, self.dequant = QuantStub(), QuantStub(), DeQuantStub()
        self.stem, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 1)

    def forward(self, image: Tensor, side: Tensor) -> dict[str, Tensor]:
        x = torch.relu(self.stem(self.quant(image)) + self.quant_side(side))
        return {"head": self.dequant(self.head(x)), "x": self.dequant(x)}


@pytest.fixture(scope="module")
def model() -> IntegerModel:
    torch.manual_seed(0)
    made = prepare(Net(), (IMAGE, SIDE), march="nash-m", out_dir=None).eval()
    set_fake_quantize(made, FakeQuantState.CALIBRATION)
    made(IMAGE, SIDE)
    set_fake_quantize(made, FakeQuantState.VALIDATION)
    return export(made, (IMAGE, SIDE))


def on_ports(model: IntegerModel) -> list[QTensor]:
    pairs = zip((IMAGE, SIDE), model.inputs, strict=True)
    return [QTensor.quantize(x, like=port) for x, port in pairs]


def test_integers_stand_for_the_floats_they_mean(model: IntegerModel) -> None:
    image, side = on_ports(model)
    wanted = model(image.dequantize(), side.dequantize())
    for args in ((image, side), (image, side.dequantize()), (image.dequantize(), side)):
        found = model(*args)
        assert all(torch.equal(found[k], wanted[k]) for k in wanted)
    assert all(torch.equal(model(IMAGE, SIDE)[k], wanted[k]) for k in wanted)
    by_name = model(side=side, image=image)
    assert all(torch.equal(by_name[k], wanted[k]) for k in wanted)


def test_results_are_what_the_dequantize_reads(model: IntegerModel) -> None:
    found, floats = model.run_quantized(*on_ports(model)), model(IMAGE, SIDE)
    assert (found["head"].dtype, found["head"].axis, found["head"].scale.shape) == (
        "int32",
        1,
        (6,),
    )
    assert (found["x"].dtype, found["x"].axis) == ("int8", None)
    plain = model.run_integer(IMAGE, SIDE)
    for port in model.outputs:
        made = found[port.name]
        assert torch.equal(made.data, plain[port.name])
        assert torch.equal(made.dequantize(), floats[port.name])
        assert (made.zero_point, made.axis) == (port.zero_point, port.axis)
        assert np.array_equal(made.scale, port.scale)


def test_the_numpy_runtime_takes_and_gives_the_same(model: IntegerModel) -> None:
    ports = zip((IMAGE, SIDE), model.inputs, strict=True)
    inputs = {p.name: QTensor.quantize(x.numpy(), like=p) for x, p in ports}
    ours = oracle.run_quantized(model.graph, inputs)
    theirs = model.run_quantized(IMAGE, SIDE)
    for name, made in ours.items():
        assert isinstance(made.data, np.ndarray)
        assert np.array_equal(made.data, theirs[name].data.numpy())
        assert np.array_equal(made.scale, theirs[name].scale)
    floats = oracle.run(model.graph, inputs)
    assert all(np.array_equal(floats[k], made.dequantize()) for k, made in ours.items())


def test_numpy_integers_in_the_torch_runtime(model: IntegerModel) -> None:
    ports = zip((IMAGE, SIDE), model.inputs, strict=True)
    given = [QTensor.quantize(x.numpy(), like=p) for x, p in ports]
    assert torch.equal(model(*given)["head"], model(IMAGE, SIDE)["head"])


def test_another_grid_is_refused(model: IntegerModel) -> None:
    image, side = on_ports(model)
    others = [
        QTensor(image.data, image.scale * 2),
        QTensor(image.data, image.scale, 1),
        QTensor(image.data.short(), image.scale),
    ]
    for other in others:
        with pytest.raises(QflowError, match="another grid") as caught:
            model(other, side)
        assert "the model takes: int8" in str(caught.value)


def test_another_shape_or_number_of_samples_is_refused(model: IntegerModel) -> None:
    image, side = on_ports(model)
    with pytest.raises(QflowError, match="QF313"):
        model(QTensor(image.data[:, :2], image.scale), side)
    with pytest.raises(QflowError, match="different batch sizes"):
        model(QTensor(image.data[:1], image.scale), side)


def test_whole_numbers_take_no_integers_of_a_grid() -> None:
    made = case(op("embedding"), op("embedding").examples[0], "int8")
    graph = lower(made.graph, march(), "tosa.single").graph
    (name,) = made.inputs
    with pytest.raises(QflowError, match="takes no integers"):
        oracle.run(graph, {name: QTensor(made.inputs[name], 1.0)})


def test_batches_one_after_the_other(model: IntegerModel) -> None:
    image, side = on_ports(model)
    seen = []

    def batches():
        for i in range(3):
            seen.append(i)
            yield {"image": IMAGE.numpy() + i, "side": SIDE.numpy()}

    found = oracle.run_batches(model.graph, batches())
    next(found)
    assert seen == [0]
    rest = list(found)
    assert len(rest) == 2
    wanted = model(IMAGE + 2, SIDE)["head"].numpy()
    assert np.array_equal(rest[1]["head"], wanted)
    ints = next(oracle.run_batches(model.graph, [{"image": image, "side": side}]))
    assert np.array_equal(ints["head"], model(image, side)["head"].numpy())
