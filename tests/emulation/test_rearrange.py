"""rearrange and commute: layout operators on accumulators, and operands brought to their grids."""

import numpy as np
import pytest

from qflow.dtype import qint8, qint16
from qflow.emulation.graph import TensorType
from qflow.emulation.lowering import lower
from qflow.emulation.op import Unsupported
from qflow.emulation.rearrange import moved
from qflow.emulation.runtimes import numpy as oracle
from qflow.march import load
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode


def accumulator(shape: tuple[int, ...], axis: int) -> TensorType:
    scales = np.arange(1, shape[axis] + 1, dtype=np.float32)
    return TensorType("int32", shape, scales, 0, axis)


def spread(type_: TensorType) -> np.ndarray:
    view = [-1 if d == type_.axis else 1 for d in range(len(type_.shape))]
    return np.broadcast_to(type_.scale.reshape(view), type_.shape)


SHAPES = [(2, 3, 4, 2), (2, 2, 1, 6), (2, 6, 4), (2, 24)]


@pytest.mark.parametrize(("before", "after"), [(a, b) for a in SHAPES for b in SHAPES])
def test_scales_move_with_their_values_or_it_is_said(before, after) -> None:
    """Against the definition: the scale of every value, reshaped as the values are."""
    if np.prod(before) != np.prod(after):
        return
    for axis in range(1, len(before)):
        source = accumulator(before, axis)
        wanted = spread(source).reshape(after)
        try:
            found = moved(source, after)
        except Unsupported:
            # then no one axis has them: along each, something differs across the others
            for kept in range(1, len(after)):
                rows = np.moveaxis(wanted, kept, 0).reshape(after[kept], -1)
                assert (rows != rows[:, :1]).any()
            continue
        assert np.array_equal(spread(found), wanted)


def test_a_permute_takes_the_axis_along() -> None:
    found = moved(accumulator((2, 3, 4, 5), 1), (2, 4, 5, 3), (0, 2, 3, 1))
    assert (found.axis, found.scale.tolist()) == (3, [1, 2, 3])


def grid(scale: float, dtype=qint8) -> Grid:
    return Grid(dtype, np.array([scale], np.float32))


def chain(*nodes: PreparedNode, outputs: tuple[tuple[str, str], ...]) -> PreparedGraph:
    shape = (1, 2, 2, 3)
    begin = (
        PreparedNode("x", "x", "input", (), out_dtype="float32", shape=shape),
        PreparedNode("q", "q", "quant", ("x",), grid=grid(0.5), out_dtype="int8", shape=shape),
    )
    return PreparedGraph((*begin, *nodes), ("x",), outputs)


X = np.arange(-6, 6, dtype=np.float32).reshape(1, 2, 2, 3)


def test_a_dequantize_that_is_read_twice_stays_for_the_other() -> None:
    graph = chain(
        PreparedNode("d", "d", "dequant", ("q",), out_dtype="float32", shape=(1, 2, 2, 3)),
        PreparedNode(
            "p", "p", "permute", ("d",), {"dims": (0, 2, 3, 1)}, out_dtype="float32",
            shape=(1, 2, 3, 2),
        ),
        outputs=(("moved", "p"), ("plain", "d")),
    )  # fmt: skip
    lowered = lower(graph, load("nash-m"), "mul15").graph
    assert [n.op for n in lowered.nodes].count("dequantize") == 2
    out = oracle.run(lowered, {"x": X})
    assert np.array_equal(out["plain"], X)
    assert np.array_equal(out["moved"], X.transpose(0, 2, 3, 1))


def test_operands_are_brought_to_the_grids_that_are_asked_for() -> None:
    shape = (1, 2, 2, 3)
    graph = chain(
        PreparedNode(
            "a", "a", "add", ("q", "q"), grid=grid(0.25, qint16), out_dtype="int16", shape=shape,
            input_grids=(None, grid(2.0)),
        ),
        PreparedNode("d", "d", "dequant", ("a",), out_dtype="float32", shape=shape),
        outputs=(("y", "d"),),
    )  # fmt: skip
    lowered = lower(graph, load("nash-m"), "mul15").graph
    rescale = lowered.by_id["a.operand1"]
    assert (rescale.op, rescale.output.scale.tolist()) == ("rescale", [2.0])
    assert lowered.by_id["a"].inputs == ("q", "a.operand1")
    out = oracle.run(lowered, {"x": X})["y"]
    rounded = out - X
    # the second operand lies on a grid of whole twos, half a step away at most
    assert np.array_equal(rounded % 2, np.zeros(shape))
    assert np.abs(rounded - X).max() <= 1


def test_an_operand_that_lies_there_already_is_read_as_it_is() -> None:
    shape = (1, 2, 2, 3)
    graph = chain(
        PreparedNode(
            "r", "r", "relu", ("q",), grid=grid(0.5), out_dtype="int8", shape=shape,
            input_grids=(grid(0.5),),
        ),
        PreparedNode("d", "d", "dequant", ("r",), out_dtype="float32", shape=shape),
        outputs=(("y", "d"),),
    )  # fmt: skip
    lowered = lower(graph, load("nash-m"), "mul15").graph
    assert "rescale" not in [n.op for n in lowered.nodes]
