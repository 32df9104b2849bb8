"""trace_call: names of inputs and outputs, and arguments that do not fit."""

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import Diagnostic, QflowError
from qflow.plan.inventory import Inventory
from qflow.tracing import trace_call
from qflow.tracing.call import output_names, output_paths


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.image = nn.ReLU()

    def forward(self, image: Tensor, more: dict[str, Tensor] | None = None, *, bias: float = 0.0):
        x = self.image(image) + bias
        return {"a": x, "b": [x * 2, None]} if more is None else (x, more["x"] + x)


def names(inventory: Inventory, op: str) -> list[str]:
    return [m.address for m in inventory.modules if m.op == op]


def test_names_without_being_asked() -> None:
    found = trace_call(Pair(), (torch.ones(1, 2),))
    # the name of a module is taken
    assert names(found.inventory, "input") == ["input_image"]
    assert names(found.inventory, "output") == ["output.a", "output.b_0"]
    assert output_paths(found.module.graph) == {"a": ("a",), "b_0": ("b", 0)}
    found = trace_call(Pair(), (torch.ones(1, 2), {"x": torch.ones(1, 2)}), {"bias": 1.0})
    assert names(found.inventory, "input") == ["input_image", "more_x"]
    assert names(found.inventory, "output") == ["output.output_0", "output.output_1"]


def test_names_that_are_given() -> None:
    x = torch.ones(1, 2)
    found = trace_call(
        Pair(), (x, {"x": x}), input_names=("left", "right"), output_names=("sum", "both")
    )
    assert names(found.inventory, "input") == ["left", "right"]
    assert output_names(found.module.graph) == ("sum", "both")
    # the module is called as the model is, whatever its tensors are called
    assert torch.equal(found.module(image=x, more={"x": x})[1], x + x)


def test_the_bare_result_is_the_output() -> None:
    found = trace_call(nn.ReLU(), (torch.ones(1),))
    assert names(found.inventory, "output") == ["output.output"]
    assert names(found.inventory, "input") == ["input"]


def mistake(*args: object, **kwargs: object) -> Diagnostic:
    with pytest.raises(QflowError) as caught:
        trace_call(Pair(), args, **kwargs)
    (found,) = caught.value.diagnostics
    return found


def test_arguments_that_do_not_fit() -> None:
    x = torch.ones(1, 2)
    found = mistake(x, kwargs={"wrong": x})
    assert found.code == "QF313"
    assert "unexpected keyword argument 'wrong'" in found.message
    assert found.notes[0].startswith("it takes (image: torch.Tensor, more: ")
    assert mistake().code == "QF313"
    assert mistake(x, input_names=("a", "b")).notes[1] == "the tensors are image"
    assert mistake(x, {"x": x}, input_names=("a", "a")).code == "QF313"
    assert mistake(x, input_names=("image",)).code == "QF313"


def test_outputs_that_do_not_fit() -> None:
    found = mistake(torch.ones(1, 2), output_names=("a",))
    assert found.code == "QF312"
    assert found.notes == ("the tensors are at a, b_0",)

    class Nothing(nn.Module):
        def forward(self, x: Tensor) -> None:
            return None

    with pytest.raises(QflowError, match="QF312: the model returns 0 tensors"):
        trace_call(Nothing(), (torch.ones(1),))


class Repeats(nn.Module):
    def forward(self, x: Tensor, times: int = 1) -> Tensor:
        for _ in range(times):
            x = x + 1
        return x


def test_an_argument_that_is_no_tensor_is_said_to_stay() -> None:
    x = torch.zeros(1, 2)
    (note,) = (n for n in trace_call(Repeats(), (x, 3)).notes if n.code == "QF227")
    assert "`times` counts as 3" in note.message
    assert note.severity == "note"
    assert not [n for n in trace_call(Repeats(), (x,)).notes if n.code == "QF227"]
