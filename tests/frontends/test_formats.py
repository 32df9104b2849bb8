"""Every format gives the model it was made of: the same graph, addresses, weights and values."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from qflow.engine.model import FloatModel
from qflow.frontends import parity, reading
from qflow.tracing import trace
from tests.frontends import nets
from tests.frontends.conftest import Files

FORMATS = ("ts", "pt2", "onnx")


@pytest.mark.parametrize("suffix", FORMATS)
def test_it_is_the_model_the_file_was_made_of(files: Files, suffix: str) -> None:
    source = reading.read(files[suffix], "net")
    inputs = {"image": files.image}
    ours, theirs = (
        trace(model, inputs, ("logits",), "net") for model in (files.model, source.module)
    )
    assert theirs.inventory == ours.inventory
    # another batch than that of the file
    other = torch.randn(5, 3, 8, 8)
    with torch.no_grad():
        assert torch.equal(source.module(other), files.model(other))
        assert torch.equal(theirs.module(other), files.model(other))
    by_example = trace(source.module, inputs, ("logits",), "net", method="example")
    assert by_example.inventory == ours.inventory
    weights = [{**FloatModel(t).traced.module.state_dict()} for t in (ours, theirs)]
    for found in weights:
        # how long it was trained computes nothing
        found.pop("block.bn.num_batches_tracked")
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][k], weights[1][k]) for k in weights[0])


@pytest.mark.parametrize("suffix", FORMATS)
def test_it_is_held_against_its_file(files: Files, suffix: str) -> None:
    source = reading.read(files[suffix], "net")
    cases = [{"image": torch.randn(n, 3, 8, 8)} for n in (2, 3)]
    found = parity.measure(source, ["logits"], cases, "net")
    assert found is not None
    assert found.relative < 1e-6
    assert (found.difference == 0) == (suffix != "onnx")
    assert "bit for bit" in str(found) or "of the largest output" in str(found)
    # a weight that is read wrong shows
    with torch.no_grad():
        source.module.get_parameter("head.weight").add_(0.01)
    worse = parity.measure(source, ["logits"], cases, "net")
    assert worse is not None
    assert worse.relative > 1e-4


def test_ports_are_told(files: Files) -> None:
    ports = {s: reading.read(files[s], "net") for s in FORMATS}
    assert {p.inputs[0].name for p in ports.values()} == {"image"}
    assert ports["onnx"].outputs[0].name == "logits"
    assert ports["onnx"].inputs[0].dims == ports["pt2"].inputs[0].dims == (None, 3, 8, 8)
    assert replace(ports["pt2"].outputs[0], name="") == ports["pt2"].outputs[0]


class Two(torch.nn.Module):
    """Two inputs, two outputs, one table shared by two calls, a branch that is not taken."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(10, 4)
        self.norm = torch.nn.LayerNorm(4)
        self.mix = torch.nn.Linear(4, 4)
        self.drop = torch.nn.Dropout(0.3)
        self.scale = torch.nn.Parameter(torch.tensor([1.0, 2.0, 3.0, 4.0]))

    def forward(self, ids: torch.Tensor, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.drop(self.norm(self.table(ids))) * self.scale
        x = self.mix(self.mix(x))
        weights = torch.softmax(x @ x.transpose(1, 2), -1)
        resized = torch.nn.functional.interpolate(image, scale_factor=2.0, mode="nearest")
        return weights @ x, torch.nn.functional.pad(resized, (1, 0, 0, 1)).mean((2, 3))


@pytest.mark.parametrize("suffix", FORMATS)
def test_several_inputs_tables_and_calls_of_one_module(tmp_path: Path, suffix: str) -> None:
    torch.manual_seed(0)
    model = Two().eval()
    ids, image = torch.randint(0, 10, (2, 3)), torch.randn(2, 3, 4, 4)
    path = tmp_path / f"two.{suffix}"
    if suffix == "ts":
        nets.traced(model, path, ids, image)
    elif suffix == "pt2":
        nets.exported(model, path, ids, image)
    else:
        nets.onnx_of(model, path, ids, image, names=("ids", "image"), outputs=("text", "mean"))
    source = reading.read(path, path.name)
    assert [p.name for p in source.inputs] == ["ids", "image"]
    inputs = {"ids": ids, "image": image}
    ours, theirs = (trace(m, inputs, ("text", "mean"), "two") for m in (model, source.module))
    known = {m.address for m in theirs.inventory.modules}
    assert {"table", "norm", "mix"} <= known
    shared = next(m for m in theirs.inventory.modules if m.address == "mix")
    assert shared.calls == 2
    if suffix != "onnx":
        # where the exporter writes softmax and pad as torch has them
        assert theirs.inventory == ours.inventory
    with torch.no_grad():
        for wanted, found in zip(model(ids, image), source.module(ids, image), strict=True):
            torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)
    measured = parity.measure(source, ["text", "mean"], [inputs], "two")
    assert measured is not None
    assert measured.relative < 1e-5
