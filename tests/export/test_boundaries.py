"""Where the integer model ends: shared stubs, tails that something else reads, names of nodes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import qflow
from qflow.diagnostics import QflowError
from qflow.export import IntegerModel, export
from qflow.quantization import DeQuantStub, FakeQuantState, QuantStub, prepare, set_fake_quantize

IMAGE = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """Two heads that leave through one stub; what happens behind it is given."""

    def __init__(self, tail: Callable[[Tensor, Tensor], object]) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.stem, self.one, self.two = (nn.Conv2d(3, 3, 1) for _ in range(3))
        self.tail = tail

    def forward(self, x: Tensor) -> object:
        x = torch.relu(self.stem(self.quant(x)))
        return self.tail(self.dequant(self.one(x)), self.dequant(self.two(x)))


def made(tail: Callable[[Tensor, Tensor], object]) -> tuple[nn.Module, IntegerModel]:
    torch.manual_seed(1)
    model = prepare(Net(tail), IMAGE, march="nash-m", out_dir=None).eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(IMAGE)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model, export(model, IMAGE)


def test_a_shared_stub_names_each_of_its_tensors(tmp_path: Path) -> None:
    model, integer = made(lambda a, b: torch.sigmoid(a) + torch.sigmoid(b))
    assert [port.name for port in integer.outputs] == ["dequant", "dequant#1"]
    first, second = integer(IMAGE)
    assert torch.allclose(torch.sigmoid(first) + torch.sigmoid(second), model(IMAGE), atol=1e-2)
    integer.save(tmp_path / "two")
    for ours, theirs in zip(qflow.load(tmp_path / "two")(IMAGE), (first, second), strict=True):
        assert torch.equal(ours, theirs)


def test_a_size_that_is_read_of_a_tail_leaves_it_a_tail() -> None:
    model, integer = made(lambda a, b: (a.flatten(2).reshape(len(a), -1), b.view(b.size(0), -1)))
    assert integer.outside == ()
    for port, ours, theirs in zip(integer.outputs, integer(IMAGE), model(IMAGE), strict=True):
        assert port.dtype == "int32"
        assert torch.allclose(ours, theirs, atol=2e-2)


def test_what_hangs_on_a_tail_that_something_else_reads_is_outside_with_it() -> None:
    def tail(a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        turned = a.permute(0, 2, 3, 1)
        return torch.sigmoid(turned), turned.flatten(1), b

    model, integer = made(tail)
    assert integer.outside == (
        "_generated_permute_0",
        "_generated_sigmoid_0",
        "_generated_flatten_0",
    )
    assert [port.name for port in integer.inputs] == ["x"]
    values = dict(zip([p.name for p in integer.outputs], integer(IMAGE), strict=True))
    expected = model(IMAGE)
    assert torch.allclose(values["dequant"].permute(0, 2, 3, 1).flatten(1), expected[1], atol=2e-2)
    assert torch.allclose(values["output_2"], expected[2], atol=2e-2)


def test_two_reshapes_that_split_the_channels_leave_one_behind_the_other() -> None:
    model, integer = made(lambda a, b: (a.reshape(-1, 3, 16).reshape(-1, 2, 24), b))
    assert integer.outside == ("_generated_reshape_1",)
    first, _ = integer(IMAGE)
    assert first.shape == (2, 3, 16)
    assert torch.allclose(first.reshape(-1, 2, 24), model(IMAGE)[0], atol=2e-2)


@pytest.mark.parametrize("name", ["one", "stem", "quant", "dequant", "x"])
def test_an_output_may_be_called_as_a_node(name: str, tmp_path: Path) -> None:
    _, integer = made(lambda a, b: {name: a})
    assert integer.outputs[0].dtype == "int32"
    renamed = export(made(lambda a, b: a)[0], IMAGE, output_names=[name])
    for model in (integer, renamed):
        found = model.run_integer(IMAGE)
        integers = found[name] if isinstance(found, dict) else found
        assert integers.dtype == torch.int32
    assert torch.equal(renamed.run_integer(IMAGE), integers)


def test_a_tensor_where_a_container_was_is_refused() -> None:
    class Pair(Net):
        def forward(self, pair: tuple[Tensor, Tensor]) -> object:
            return super().forward(pair[0] + pair[1])

    model = prepare(Pair(lambda a, b: a), ((IMAGE, IMAGE),), march="nash-m", out_dir=None).eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model((IMAGE, IMAGE))
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    integer = export(model, ((IMAGE, IMAGE),))
    # the sum stands in front of the stub: the integer model takes the sum
    assert integer.outside
    assert integer(IMAGE + IMAGE).shape == (2, 3, 4, 4)


def test_a_file_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    _, integer = made(lambda a, b: (a, b))
    files = [tmp_path / str(i) for i in range(8)]
    for file in files:
        integer.save(file)
    again = tmp_path / "again"
    qflow.load(files[0]).save(again)
    assert len({file.read_bytes() for file in [*files, again]}) == 1


def test_rows_of_a_tensor_are_no_arguments() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.quant, self.dequant, self.conv = QuantStub(), DeQuantStub(), nn.Conv2d(3, 3, 1)

        def forward(self, pair: tuple[Tensor]) -> Tensor:
            return self.dequant(self.conv(self.quant(pair[0])))

    model = prepare(Pair(), ((IMAGE,),), march="nash-m", out_dir=None).eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model((IMAGE,))
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    integer = export(model, ((IMAGE,),))
    with pytest.raises(QflowError, match="`pair` does not hold the tensor `pair_0`"):
        integer(IMAGE[None])
