"""What is counted as integer: operators by address, fusions by what they run in, islands not."""

from __future__ import annotations

import pytest

from qflow.emulation.coverage import OUTSIDE, Left, Share, coverage
from qflow.emulation.graph import IntegerGraph, Node, TensorType
from qflow.plan.inventory import Inventory, Module
from tests.emulation import coverage as pages
from tests.emulation.coverage import least_cosine, row, section
from tests.emulation.styles import DECODING, converted

LEAST = {"int8": 0.99, "int16": 0.9999}


def node(id: str, op: str, dtype: str = "int8") -> Node:
    return Node(id, id.partition(".")[0].partition("#")[0], op, (), TensorType(dtype, (1, 2)))


def graph(*nodes: Node, notes: tuple[str, ...] = ()) -> IntegerGraph:
    return IntegerGraph("m", "p", nodes, (), (), {}, notes)


INVENTORY = Inventory(
    "net",
    (
        Module("x", "input", "input"),
        Module("quant", "QuantStub", "quant"),
        Module("conv", "Conv2d", "conv2d", macs=70),
        Module("relu", "ReLU", "relu"),
        Module("norm", "LayerNorm", "layer_norm", macs=20),
        Module("act", "ReLU", "relu"),
        Module("value", "constant", "constant"),
        Module("dequant", "DeQuantStub", "dequant"),
        Module("last", "Linear", "linear", macs=10),
        Module("output.y", "output", "output"),
    ),
    (),
)


def test_what_is_counted() -> None:
    note = "norm#1: a float island for `layer_norm`: no integers: here"
    nodes = [
        node("x", "input", "float32"),
        node("quant", "quantize"),
        node("conv", "conv2d"),
        node("conv.float", "dequantize", "float32"),
        node("norm.island", "island", "float32"),
        node("norm", "quantize"),
        node("act:1", "slice"),
        node("dequant", "dequantize", "float32"),
    ]
    nodes[6] = Node("act:1", "act", "slice", (), TensorType("int8", (1, 2)))
    found = coverage(graph(*nodes, notes=("a note", note)), INVENTORY, {"relu": "conv"})
    assert found.operators == Share(3, 5)
    assert found.multiply_accumulates == Share(70, 100)
    assert found.floats == (
        Left("norm", "layer_norm", "no integers: here"),
        Left("last", "linear", OUTSIDE),
    )
    assert found.outside == 1
    assert found.within == Share(3, 4)


def test_what_is_fused_into_an_island_has_its_reason() -> None:
    nodes = (node("relu.island", "island", "float32"), node("relu", "quantize"))
    note = "relu: a float island for `conv2d`: not listed"
    found = coverage(graph(*nodes, notes=(note,)), INVENTORY, {"conv": "relu"})
    assert [(f.address, f.why) for f in found.floats][:2] == [
        ("conv", "not listed"),
        ("relu", "not listed"),
    ]


def test_nothing_is_covered_wholly() -> None:
    found = coverage(graph(), Inventory("net", (), ()), {})
    assert (found.operators.share, found.multiply_accumulates.share) == (1.0, 1.0)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_a_detector_whose_boxes_are_decoded_in_integers(dtype: str) -> None:
    made, example = converted(DECODING, "nash-m", dtype)
    assert made.coverage.operators.share >= 0.95
    assert made.coverage.multiply_accumulates.share >= 0.999
    assert least_cosine(made, example) >= LEAST[dtype]
    assert row(DECODING, dtype, made.coverage) in section("nash-m")


@pytest.mark.parametrize("march", ["bernoulli2", "bm1684x", "cv18xx"])
def test_a_transformer_on_a_march_that_leaves_much_in_floats(march: str) -> None:
    made, example = converted("vit", march, "int8", "float")
    assert 0 < made.coverage.operators.share < 1
    assert all(left.why for left in made.coverage.floats)
    assert least_cosine(made, example) >= LEAST["int8"]
    assert row("vit", "int8", made.coverage) in section(march)


def test_the_page_has_every_march() -> None:
    text = pages.PAGE.read_text(encoding="utf-8")
    assert text.startswith(pages.HEAD)
    assert [m for m in pages.MARCHES if not section(m)] == []
