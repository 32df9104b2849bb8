"""Declared inputs and outputs must be those of the file: names, number, order, shape and dtype."""

import pytest
from torch import nn

from qflow.diagnostics import QflowError
from qflow.frontends import ports
from qflow.frontends.imported import Imported
from qflow.frontends.source import FilePort, Source
from qflow.plan.plan import PortPlan

IMAGE = PortPlan("image", "float32", ("N", 3, 8, 8))
IDS = PortPlan("ids", "int64", ("N", 5))
LOGITS = PortPlan("logits", "float32", ("N", 10))


def source(*inputs: FilePort, outputs: tuple[FilePort, ...] = (FilePort("logits"),)) -> Source:
    return Source(Imported(()), inputs, outputs, None, "onnxruntime")


BOTH = (FilePort("image", "float32", (None, 3, 8, 8)), FilePort("ids", "int64", (None, 5)))


def refused(*declared: PortPlan, by: Source, outputs: tuple[PortPlan, ...] = (LOGITS,)) -> str:
    with pytest.raises(QflowError) as caught:
        ports.refuse_others(declared, outputs, by, "net.onnx")
    assert {d.code for d in caught.value.diagnostics} == {"QF366"}
    return str(caught.value)


def test_those_of_the_file_are_taken() -> None:
    ports.refuse_others((IMAGE, IDS), (LOGITS,), source(*BOTH), "net.onnx")
    # a format without names of outputs, shapes and dtypes
    plain = source(FilePort("image"), FilePort("ids"), outputs=(FilePort(""),))
    ports.refuse_others((IMAGE, IDS), (LOGITS,), plain, "net.ts")
    # a size that the file leaves free
    fixed = PortPlan("image", "float32", (1, 3, 8, 8))
    ports.refuse_others((fixed, IDS), (LOGITS,), source(*BOTH), "net.onnx")


def test_names_are_told_with_the_nearest() -> None:
    text = refused(PortPlan("imge", "float32", ("N", 3, 8, 8)), IDS, by=source(*BOTH))
    assert "no input `imge`" in text
    assert "the nearest: `image`" in text
    other = (PortPlan("logit", "float32", ("N", 10)),)
    assert "no output `logit`" in refused(IMAGE, IDS, by=source(*BOTH), outputs=other)


def test_number_and_order() -> None:
    assert "has `image`, `ids`" in refused(IMAGE, by=source(*BOTH))
    assert "another order" in refused(IDS, IMAGE, by=source(*BOTH))
    assert "has 1" in refused(
        IMAGE, IDS, by=source(*BOTH, outputs=(FilePort(""),)), outputs=(LOGITS, LOGITS)
    )


@pytest.mark.parametrize(
    ("own", "text"),
    [
        (FilePort("image", "float16", (None, 3, 8, 8)), "float16"),
        (FilePort("image", "float32", (None, 3, 16, 8)), "[any, 3, 16, 8]"),
        (FilePort("image", "float32", (None, 3, 8)), "[any, 3, 8]"),
        # the file was made for one size, and a free one is declared
        (FilePort("image", "float32", (2, 3, 8, 8)), "[2, 3, 8, 8]"),
    ],
)
def test_shape_and_dtype(own: FilePort, text: str) -> None:
    assert text in refused(IMAGE, by=source(own))


def test_a_model_with_several_outputs_returns_them_in_order() -> None:
    from qflow.frontends.leafing import finished
    from qflow.frontends.recipe import Owner, Recipe

    recipe = Recipe(("x",))
    x = recipe.add(Owner("act", "torch.nn.modules.activation.ReLU"), nn.functional.relu, _first())
    y = recipe.add(Owner("", ""), "neg", x, method=True)
    recipe.outputs = (y, x)
    import torch

    made = finished(recipe)
    assert isinstance(made.get_submodule("act"), nn.ReLU)
    found = made(torch.tensor([-1.0, 2.0]))
    assert [v.tolist() for v in found] == [[-0.0, -2.0], [0.0, 2.0]]


def _first() -> object:
    from qflow.frontends.imported import Value

    return Value(0)
