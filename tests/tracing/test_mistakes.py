"""Models and inputs that cannot be traced: the right id, the right place."""

import inspect
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import Diagnostic, QflowError, Span
from qflow.plan.plan import GraphSpec
from qflow.tracing import trace, wrap
from qflow.tracing.outputs import name_outputs
from tests.tracing import shapes_of_text
from tests.tracing.models import SmallNet, image
from tests.tracing.shapes_of_text import clip

HERE = Span("x.qf", 3, 1, 3, 9)


def mistake(model: nn.Module, graph: GraphSpec | None = None, **inputs: Tensor) -> Diagnostic:
    with pytest.raises(QflowError) as caught:
        trace(model, inputs or {"image": image()}, ("out",), "e", graph)
    (found,) = caught.value.diagnostics
    return found


def test_a_wrong_shape_names_the_module_and_the_shapes() -> None:
    found = mistake(SmallNet(), image=torch.zeros(2, 3, 8, 8))
    assert found.code == "QF313"
    assert "`stem.0` (Conv2d) cannot take its input [2, 3, 8, 8]" in found.message
    assert found.notes[0] == "declared: image is [2, 3, 8, 8]"
    assert "models.py:" in found.notes[1]
    assert found.notes[1].endswith("`x = self.right(self.left(self.stem(self.quant(image))))`")
    found = mistake(SmallNet(), image=torch.zeros(2, 1, 6, 6))
    assert "`fc` (Linear) cannot take its input [2, 72]" in found.message


def test_a_wrong_number_of_inputs() -> None:
    found = mistake(SmallNet(), a=image(), b=image())
    assert found.code == "QF313"
    assert "too many positional arguments" in found.message
    assert found.notes == ("it takes (image: torch.Tensor)", "the inputs are a, b")


def test_an_input_with_a_name_python_reserves() -> None:
    with pytest.raises(QflowError, match="QF313: `lambda` is a word of Python"):
        trace(SmallNet(), {"lambda": image()}, ("out",), "e")


def test_an_input_with_the_name_of_a_module() -> None:
    assert mistake(SmallNet(), fc=image()).code == "QF313"


class Branches(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        if image.mean() > 0:
            return image
        return -image


class Loops(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        for _ in range(int(image.sum().abs())):
            image = image + 1
        return image


@pytest.mark.parametrize(("model", "text"), [(Branches, "image.mean() > 0"), (Loops, "range(")])
def test_a_branch_on_data_names_file_and_line(model: type[nn.Module], text: str) -> None:
    found = mistake(model())
    assert found.code == "QF314"
    assert found.at is not None
    lines, first = inspect.getsourcelines(model)
    wanted = next(first + i for i, line in enumerate(lines) if text in line)
    assert found.at.line == wanted
    assert Path(found.at.path).name == "test_mistakes.py"
    assert "wrap" in found.help


class Clips(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return clip(image, 0.5) + shapes_of_text.clip(image, 0.1)


def test_a_wrapped_function_is_one_call() -> None:
    name = "tests.tracing.shapes_of_text:clip"
    assert mistake(Clips()).code == "QF314"
    spec = GraphSpec(wraps=((name, HERE),))
    found = trace(Clips(), {"image": image()}, ("out",), "e", spec, stubs=False)
    addresses = [m.address for m in found.inventory.modules]
    assert addresses[1:4] == ["_generated_clip_0", "_generated_clip_1", "_generated_add_0"]
    assert torch.equal(found.module(image()), Clips()(image()))
    # the names are as they were
    assert clip is shapes_of_text.clip
    assert inspect.getsource(clip).startswith("def clip")


def test_a_wrapped_builtin() -> None:
    class Counts(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return image + image if len(image) is not None else image

    found = trace(Counts(), {"image": image()}, ("out",), "e", GraphSpec(wraps=(("len", HERE),)))
    assert [n.target for n in found.module.graph.nodes if n.op == "call_function"] == [len]
    assert "len" not in globals()


@wrap
def shifted(x: Tensor, by: float) -> Tensor:
    return x + by if x.sum() > 0 else x


def test_wrap_as_a_decorator() -> None:
    class Shifts(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return shifted(image, by=2.0)

    found = trace(Shifts(), {"image": image()}, ("out",), "e", stubs=False)
    assert found.inventory.modules[1].address == "_generated_shifted_0"
    assert torch.equal(found.module(image()), shifted(image(), by=2.0))


@pytest.mark.parametrize(
    "name", ["tests.tracing.shapes_of_text:klip", "no.such.file:f", "clip", "int"]
)
def test_a_wrap_that_names_no_function(name: str) -> None:
    found = mistake(Clips(), GraphSpec(wraps=((name, HERE),)))
    assert (found.code, found.at) == ("QF312", HERE)


def test_names_are_restored_when_the_trace_fails() -> None:
    class Both(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return clip(image, 1.0) if image.sum() > 0 else image

    before = clip
    spec = GraphSpec(wraps=(("tests.tracing.shapes_of_text:clip", HERE),))
    assert mistake(Both(), spec).code == "QF314"
    assert clip is before


def test_outputs_that_do_not_fit() -> None:
    class Pair(nn.Module):
        def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
            return image + image, image

    assert mistake(Pair()).code == "QF312"
    for result in ({"x": 1}, [1, 2], [[1]]):
        with pytest.raises(QflowError, match="QF312"):
            name_outputs(result, ("out",))


def test_a_model_that_cannot_be_copied() -> None:
    model = SmallNet()
    model.cache = model.fc.weight * 2
    found = mistake(model)
    assert found.code == "QF312"
    assert "buffers" in found.help
