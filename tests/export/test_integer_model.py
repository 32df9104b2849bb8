"""The integer model in Python: called as the model was, its ports, its file, and what is refused."""

from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load as load_tensors
from torch import Tensor, nn

import qflow
from qflow.diagnostics import QflowError
from qflow.emulation import file
from qflow.export import IntegerModel, export
from qflow.export._model.structure import Leaf, Structure
from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    convert_fx,
    prepare,
    set_fake_quantize,
)

Pair = namedtuple("Pair", "map score")


class Net(nn.Module):
    """Two inputs in a dictionary and by name; a nested result."""

    def __init__(self) -> None:
        super().__init__()
        self.quant_a, self.quant_b = QuantStub(), QuantStub()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.side = nn.Conv2d(2, 4, 1)
        self.head, self.score = nn.Conv2d(4, 2, 1), nn.Conv2d(4, 1, 1)
        self.dequant_a, self.dequant_b = DeQuantStub(), DeQuantStub()

    def forward(self, batch: dict, *, side: Tensor, flag: bool = True):
        x = torch.relu(self.conv(self.quant_a(batch["image"])) + self.side(self.quant_b(side)))
        return {"maps": (self.dequant_a(self.head(x)).permute(0, 2, 3, 1),), "flag": flag,
                "score": self.dequant_b(self.score(x))}  # fmt: skip


def example(n: int = 2, seed: int = 0) -> tuple[dict, Tensor]:
    made = torch.Generator().manual_seed(seed)
    return {"image": torch.randn(n, 3, 5, 6, generator=made)}, torch.randn(
        n, 2, 5, 6, generator=made
    )


def prepared(net: nn.Module, *args, **kwargs) -> nn.Module:
    model = prepare(net, args, example_kw_inputs=kwargs, march="nash-m", out_dir=None).eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        model(*args, **kwargs)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    batch, side = example()
    return prepared(Net(), batch, side=side)


@pytest.fixture(scope="module")
def integer(model: nn.Module) -> IntegerModel:
    batch, side = example()
    return export(model, (batch,), example_kw_inputs={"side": side})


def test_it_is_called_as_the_model_and_returns_the_same_form(
    model: nn.Module, integer: IntegerModel
) -> None:
    batch, side = example(5, seed=3)
    ours, theirs = integer(batch, side=side), model(batch, side=side)
    assert list(ours) == ["maps", "flag", "score"]
    assert isinstance(ours["maps"], tuple)
    assert ours["flag"] is True
    for name, port in zip(("score",), integer.outputs[-1:], strict=True):
        distance = (ours[name] - theirs[name]).abs() / torch.from_numpy(port.scale).reshape(
            -1, 1, 1
        )
        # in accumulator steps: a few ties of the layer before, each times a weight
        assert distance.max() <= 4 * 127
    assert ours["maps"][0].shape == (5, 5, 6, 2)
    torch.testing.assert_close(ours["maps"][0], theirs["maps"][0], atol=0.05, rtol=0)
    # dictionaries go by their keys
    more = {"other": torch.zeros(1), **batch}
    assert torch.equal(integer(more, side=side)["score"], ours["score"])


def test_ports(integer: IntegerModel) -> None:
    found = [(p.name, p.shape, p.dtype, p.axis, p.layout) for p in integer.outputs]
    assert found == [
        ("maps_0", (2, 5, 6, 2), "int32", 3, "nhwc"),
        ("score", (2, 1, 5, 6), "int32", 1, "nchw"),
    ]
    assert [(p.name, p.dtype, p.scale.shape, p.zero_point) for p in integer.inputs] == [
        ("batch_image", "int8", (1,), 0),
        ("input_side", "int8", (1,), 0),  # a module is called `side`
    ]
    assert (integer.march, integer.profile, integer.name) == ("nash-m", "mul15", "forward")
    assert [n.op for n in integer.nodes].count("conv2d") == 4
    assert "map" in repr(integer)


def test_integers_times_scale_are_the_floats(integer: IntegerModel) -> None:
    batch, side = example(3, seed=1)
    floats, integers = integer(batch, side=side), integer.run_integer(batch, side=side)
    port = integer.outputs[0]
    assert integers["maps"][0].dtype == torch.int32
    assert torch.equal(
        integers["maps"][0].float() * torch.from_numpy(port.scale), floats["maps"][0]
    )


def test_the_device_graph_has_no_transpose_at_the_tail(integer: IntegerModel) -> None:
    outputs = dict(integer.device_graph.outputs)
    node = integer.device_graph.by_id[outputs["maps_0"]]
    while node.op in ("dequantize", "identity"):
        node = integer.device_graph.by_id[node.inputs[0]]
    assert node.op == "conv2d"


def test_saved_and_loaded(integer: IntegerModel, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    integer.save(path)
    again = qflow.load(path)
    batch, side = example(4, seed=2)
    ours, theirs = integer(batch, side=side), again(batch, side=side)
    assert theirs["flag"] is True
    assert torch.equal(ours["maps"][0], theirs["maps"][0])
    assert torch.equal(ours["score"], theirs["score"])
    assert [(p.name, p.dtype) for p in again.outputs] == [
        (p.name, p.dtype) for p in integer.outputs
    ]
    # for whoever wants the graph alone it is the same file
    assert file.load(path).outputs == integer.graph.outputs
    assert load_tensors(path.read_bytes()).keys() == integer.graph.constants.keys()


def test_a_file_without_a_call_has_arguments_in_order(
    integer: IntegerModel, tmp_path: Path
) -> None:
    path = tmp_path / "graph.safetensors"
    file.save(integer.graph, path)
    flat = qflow.load(path)
    batch, side = example()
    maps, score = flat(batch["image"], side)
    wanted = integer(batch, side=side)
    assert torch.equal(maps, wanted["maps"][0])
    assert torch.equal(score, wanted["score"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"qflow.call", b"qflow.cold"),
        (b'{\\"tensor\\":\\"score\\"}', b'{\\"tensor\\":\\"scare\\"}'),
        (b'\\"parameters\\":[\\"batch\\"', b'\\"parameters\\":[\\"botch\\"'),
        (b'{\\"tuple\\":', b'{\\"apple\\":'),
    ],
)
def test_a_damaged_call_is_named(integer: IntegerModel, tmp_path: Path, old, new) -> None:
    path = tmp_path / "net.safetensors"
    integer.save(path)
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    if old == b"qflow.call":
        assert isinstance(qflow.load(path), IntegerModel)
        return
    with pytest.raises(QflowError, match="QF318"):
        qflow.load(path)


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        ((), {}, "argument `batch` is missing"),
        (({},), {"side": torch.zeros(1, 2, 5, 6)}, "`batch` does not hold"),
        (({"image": 3},), {"side": torch.zeros(1, 2, 5, 6)}, "is no tensor, but a int"),
        (({}, 1, 2, 3), {}, "4 arguments were given"),
        (({},), {"sid": 1}, "no argument `sid`"),
        (({},), {"batch": {}}, "`batch` was given twice"),
        (
            ({"image": torch.zeros(1, 3, 5, 7)},),
            {"side": torch.zeros(1, 2, 5, 6)},
            r"must be \[N, 3, 5, 6\]",
        ),
    ],
)
def test_calls_that_do_not_fit(integer: IntegerModel, args, kwargs, says: str) -> None:
    with pytest.raises(QflowError, match=f"QF313: .*{says}"):
        integer(*args, **kwargs)


def test_names(model: nn.Module) -> None:
    batch, side = example()
    made = export(
        model,
        (batch,),
        example_kw_inputs={"side": side},
        name="detect",
        input_names=["image", "side"],
        output_names={"maps": ["map"], "score": "confidence"},
    )
    assert made.name == "detect"
    assert [p.name for p in made.inputs] == ["image", "side"]
    assert [p.name for p in made.outputs] == ["map", "confidence"]
    assert torch.equal(made(batch, side=side)["score"], export(
        model, (batch,), example_kw_inputs={"side": side})(batch, side=side)["score"])  # fmt: skip
    with pytest.raises(QflowError, match="QF312: 1 output names are given for 2 tensors"):
        export(model, (batch,), example_kw_inputs={"side": side}, output_names=["map"])
    with pytest.raises(QflowError, match="QF313: 2 input names"):
        export(model, (batch,), example_kw_inputs={"side": side}, input_names=["a", "a"])


def test_examples_that_do_not_fit_the_prepared_model(model: nn.Module) -> None:
    batch, _ = example()
    with pytest.raises(QflowError, match="QF313"):
        export(model, (batch,), example_kw_inputs={"side": torch.zeros(1, 2, 5, 7)})


class Around(nn.Module):
    """Work before and behind the stubs, and a tail that splits channels."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant, self.conv = QuantStub(), DeQuantStub(), nn.Conv2d(1, 4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.dequant(self.conv(self.quant(x / 255.0)))
        return torch.sigmoid(y), y.reshape(len(y), 2, -1, 2)


def test_what_stands_outside_is_said_and_left_out() -> None:
    x = torch.rand(2, 1, 3, 4) * 255
    model = prepared(Around(), x)
    made = export(model, (x,))
    assert len(made.outside) == 3
    (note,) = [n for n in made.notes if "not part of this model" in n]
    assert "_generated_sigmoid_0" in note
    (port,) = made.outputs
    assert (port.dtype, port.shape) == ("int32", (2, 4, 3, 4))
    out = made(x / 255.0)
    torch.testing.assert_close(torch.sigmoid(out), model(x)[0], atol=0.02, rtol=0)


class Island(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.conv, self.relu = nn.Conv2d(1, 2, 1), nn.ReLU()
        self.late = nn.Conv2d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.late(self.relu(self.conv(self.quant(x)))))


def test_float_between_the_stubs_is_refused() -> None:
    net = Island()
    net.relu.qconfig = None
    net.conv.qconfig = None
    from qflow.quantization.qconfig_template import default_calibration_qconfig_setter

    x = torch.randn(2, 1, 3, 3)
    model = prepare(net, (x,), default_calibration_qconfig_setter, march="nash-m", out_dir=None)
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    with pytest.raises(QflowError, match=r"QF262: `conv` \(conv2d\) is between the stubs"):
        export(model, (x,))


def test_states_and_modes(model: nn.Module) -> None:
    batch, side = example()
    given = {"example_kw_inputs": {"side": side}}
    with pytest.raises(QflowError, match="QF260: `Net` has no fake-quantizers"):
        export(Net().eval(), (batch,), **given)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    with pytest.raises(QflowError, match="QF261: the fake-quantizers are not in the state"):
        export(model, (batch,), **given)
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    model.train()
    with pytest.raises(QflowError, match="QF261: the model is in training mode"):
        export(model, (batch,), **given)
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)


def test_convert_fx_gives_a_module(model: nn.Module, integer: IntegerModel) -> None:
    batch, side = example(3)
    made = convert_fx(model)
    assert isinstance(made, nn.Module)
    assert not list(made.parameters())
    assert torch.equal(made(batch, side=side)["score"], integer(batch, side=side)["score"])


def test_named_tuples_come_back_in_memory() -> None:
    structure = Structure(("x",), (("x", "x", ()),), Pair(Leaf("a"), [Leaf("b"), None]))
    assert structure.returned({"a": 1, "b": 2}) == Pair(1, [2, None])
    assert structure.outputs == ("a", "b")


def test_a_key_that_json_does_not_have(integer: IntegerModel, tmp_path: Path) -> None:
    from dataclasses import replace

    odd = replace(integer, structure=replace(integer.structure, result={(1, 2): Leaf("score")}))
    with pytest.raises(QflowError, match="QF269"):
        odd.save(tmp_path / "odd")
    assert not (tmp_path / "odd").exists()
    assert np.isfinite(integer.outputs[0].scale).all()
