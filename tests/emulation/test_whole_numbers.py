"""Whole numbers in the integer graph: what an input takes, comparisons, what reads no grid."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qflow.diagnostics import QflowError
from qflow.dtype import DTYPES
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.emulation.steps.logic import FUNCTIONS
from qflow.emulation.validate import validate
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode
from tests.emulation.build import march

TOP = (1 << 31) - 1


def whole(id_: str, op: str, *inputs: str, **attributes: object) -> PreparedNode:
    return PreparedNode(id_, id_, op, inputs, attributes, out_dtype="index", shape=(2, 3))


def graph_of(*nodes: PreparedNode, output: str) -> IntegerGraph:
    inputs = tuple(n.id for n in nodes if n.op == "input")
    prepared = PreparedGraph(nodes, inputs, (("y", output),))
    graph = lower(prepared, march(), "tosa.single").graph
    validate(graph)
    return graph


def both(graph: IntegerGraph, **inputs: np.ndarray) -> np.ndarray:
    """The result, which both runtimes agree on."""
    slow = oracle.run(graph, inputs)["y"]
    quick = TorchRuntime(graph).run({k: torch.from_numpy(v) for k, v in inputs.items()})["y"]
    assert quick.numpy().dtype == slow.dtype
    assert np.array_equal(quick.numpy(), slow)
    return slow


@pytest.mark.parametrize("function", FUNCTIONS)
def test_comparisons_hold_where_floats_end(function: str) -> None:
    ids = np.array([[0, 1, TOP - 1], [TOP, -TOP - 1, 0]])
    other = np.array([[1, 1, TOP], [TOP, -TOP, 0]])
    names = {"and": np.logical_and, "or": np.logical_or, "eq": np.equal, "ne": np.not_equal}
    names |= {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
    two = graph_of(
        whole("a", "input"),
        whole("b", "input"),
        whole("y", "logic", "a", "b", function=function, number=0),
        output="y",
    )
    assert np.array_equal(both(two, a=ids, b=other), names[function](ids, other))
    one = graph_of(
        whole("a", "input"), whole("y", "logic", "a", function=function, number=1), output="y"
    )
    assert np.array_equal(both(one, a=ids), names[function](ids, 1))


@pytest.mark.parametrize("wrong", [0.5, float("nan"), 2.0**31, -(2.0**31) - 1])
def test_an_input_takes_whole_numbers_alone(wrong: float) -> None:
    graph = graph_of(whole("a", "input"), whole("y", "identity", "a"), output="y")
    given = np.array([[1.0, 2.0, wrong]])
    with pytest.raises(QflowError, match=r"QF313.*whole numbers"):
        oracle.run(graph, {"a": given})
    with pytest.raises(QflowError, match=r"QF313.*whole numbers"):
        TorchRuntime(graph).run({"a": torch.from_numpy(given)})
    for fine in (np.array([[True, False, True]]), np.array([[-TOP - 1, TOP, 0]])):
        assert np.array_equal(both(graph, a=fine), fine.astype(np.int64))


def test_whole_numbers_move_and_come_onto_a_grid() -> None:
    grid = Grid(DTYPES["uint8"], np.array([0.5], np.float32), 3)
    graph = graph_of(
        whole("a", "input"),
        whole("p", "pad", "a", sides=(1, 0), mode="constant", value=7.0),
        whole("t", "permute", "p", dims=(1, 0)),
        whole("s", "stack", "t", "t", dim=0),
        PreparedNode("q", "q", "quant", ("s",), grid=grid, out_dtype="uint8"),
        PreparedNode("d", "d", "dequant", ("q",), out_dtype="float32"),
        output="d",
    )
    ids = np.array([[1, 2, 3], [4, 200, -9]])
    wanted = np.pad(ids, ((0, 0), (1, 0)), constant_values=7).T
    held = np.clip(np.stack([wanted, wanted]), -1.5, 126)
    assert np.array_equal(both(graph, a=ids), held.astype(np.float32))


def test_arithmetic_on_whole_numbers_is_refused() -> None:
    grid = Grid(DTYPES["int8"], np.array([0.5], np.float32))
    add = PreparedNode("y", "y", "add", ("a", "a"), grid=grid, out_dtype="int8", shape=(2, 3))
    with pytest.raises(QflowError, match=r"QF120.*whole numbers"):
        graph_of(whole("a", "input"), add, output="y")


@pytest.mark.parametrize(
    ("value", "code"), [(-np.inf, -128), (np.inf, 127), (-1e30, -128), (0.26, 1), (0.25, 0)]
)
def test_numbers_are_put_on_the_grid(value: float, code: int) -> None:
    """What is filled in saturates, infinities too, and is rounded as the march does."""
    grid = Grid(DTYPES["int8"], np.array([0.5], np.float32))
    x = PreparedNode("x", "x", "input", (), shape=(2, 3))
    q = PreparedNode("q", "q", "quant", ("x",), grid=grid, out_dtype="int8", shape=(2, 3))
    for op, inputs, attributes in (
        ("masked_fill", ("q", "m"), {"value": value}),
        ("where", ("m", "q"), {"yes": value, "no": None}),
    ):
        node = PreparedNode("o", "o", op, inputs, attributes, grid=grid, out_dtype="int8")
        end = PreparedNode("d", "d", "dequant", ("o",), out_dtype="float32")
        graph = graph_of(x, whole("m", "input"), q, node, end, output="d")
        mask = np.array([[0, 1, 0], [1, 0, 0]])
        data = np.arange(6, dtype=np.float32).reshape(2, 3)
        assert np.array_equal(both(graph, x=data, m=mask), np.where(mask, code * 0.5, data))
