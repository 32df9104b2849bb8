"""The dump of a graph, and the difference of two."""

import copy

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.plan import fusion
from qflow.tracing import Traced, diff, dump, fuse, trace_call
from qflow.tracing.dumping import FIRST
from tests.tracing.models import SmallNet, image
from tests.tracing.wrapped_models import Detector


class Net(nn.Module):
    def __init__(
        self, stride: int = 1, act: type[nn.Module] = nn.ReLU, twice: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride, 1)
        self.act = act()
        self.twice = twice

    def forward(self, image: Tensor) -> Tensor:
        x = self.act(self.conv(image))
        x = torch.relu(x) if self.twice is None else x
        return x + x.sigmoid() if self.twice else x * 2


def traced(model: nn.Module) -> Traced:
    return trace_call(model.eval(), (image(),), stubs=False)


def test_one_line_per_call_in_execution_order() -> None:
    assert dump(traced(Net())).splitlines() == [
        FIRST,
        "input  image  {}  ()  [2,1,8,8]",
        'conv2d  conv  {"dilation": [1, 1], "groups": 1, "kernel": [3, 3], '
        '"padding": [1, 1, 1, 1], "stride": [1, 1]}  (image)  [2,4,8,8]',
        "relu  act  {}  (conv)  [2,4,8,8]",
        'mul  _generated_mul_0  {"scalar": 2}  (act)  [2,4,8,8]',
        "output  output.output  {}  (_generated_mul_0)  []",
    ]


def test_it_is_the_same_in_every_run_and_of_every_copy() -> None:
    found = traced(SmallNet())
    assert dump(found) == dump(traced(SmallNet())) == dump(copy.deepcopy(found.module))


def test_fused_models_and_what_is_kept_whole() -> None:
    found = traced(SmallNet())
    module = fuse(found, fusion.find(found.inventory, ("int8",), lambda _: "int8"))
    text = dump(module)
    assert "  stem.0  " in text
    assert "  stem.1  " not in text
    text = dump(traced(Detector()))
    assert "  inside conv2d  post.refine  " in text
    assert "unknown:decode  post._generated_decode_0  " in text
    assert diff(text, text).similarity == 1


def test_equal_graphs() -> None:
    found = diff(dump(traced(Net())), dump(traced(Net())))
    assert (found.changes, found.similarity, found.first) == ((), 1.0, None)
    assert found.render() == "the graphs are the same\n"


def test_parameters() -> None:
    found = diff(dump(traced(Net())), dump(traced(Net(stride=2))))
    assert {c.kind for c in found.changes} == {"parameter_change"}
    assert found.first is not None
    assert found.first.address == "conv"
    assert '"stride": [2, 2]' in found.first.after
    # the sizes behind it are others as well, the input and output are the same
    assert [c.address for c in found.changes] == ["conv", "act", "_generated_mul_0"]
    assert found.similarity == pytest.approx(2 * 2 / 10)


def test_operators() -> None:
    found = diff(dump(traced(Net())), dump(traced(Net(act=nn.Sigmoid))))
    assert [(c.kind, c.address, c.before, c.after) for c in found.changes] == [
        ("operator_change", "act", "relu", "sigmoid")
    ]
    assert "first: operator_change at act" in found.render()
    assert found.similarity == pytest.approx(0.8)


def test_an_operator_in_the_place_of_another_is_no_change_of_structure() -> None:
    class Divides(Net):
        def forward(self, image: Tensor) -> Tensor:
            return self.act(self.conv(image)) / 3

    found = diff(dump(traced(Net())), dump(traced(Divides())))
    assert [(c.kind, c.address) for c in found.changes] == [("operator_change", "_generated_mul_0")]


def test_structure() -> None:
    a, b = dump(traced(Net())), dump(traced(Net(twice=True)))
    found = diff(a, b)
    assert {c.address for c in found.of("structure_change")} >= {
        "_generated_mul_0",
        "_generated_sigmoid_0",
        "_generated_add_0",
        "output.output",
    }
    back = diff(b, a)
    assert back.similarity == found.similarity
    new = next(c for c in found.changes if c.address == "_generated_sigmoid_0")
    gone = next(c for c in back.changes if c.address == "_generated_sigmoid_0")
    assert (new.before, gone.after) == ("", "")
    assert new.after == gone.before == "sigmoid reads (act)"


def test_what_moved() -> None:
    lines = dump(traced(SmallNet())).splitlines()
    moved = [*lines[:4], lines[5], lines[4], *lines[6:]]
    found = diff("\n".join(lines), "\n".join(moved))
    assert {c.kind for c in found.changes} == {"structure_change"}
    assert 0.8 < found.similarity < 1


def test_files_of_other_systems_are_read() -> None:
    text = dump(traced(Net()))
    assert diff(text, "\ufeff" + text.replace("\n", "\r\n")).changes == ()


@pytest.mark.parametrize(
    "text", ["", "graph", f"{FIRST}\nrelu", f"{FIRST}\nrelu  a  [1]  ()  {{}}"]
)
def test_what_is_no_dump(text: str) -> None:
    with pytest.raises(QflowError, match="QF301: line"):
        diff(dump(traced(Net())), text)
