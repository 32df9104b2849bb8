"""Tables: which entries a function gets where it has no value, and how large a table it needs."""

from __future__ import annotations

import numpy as np
import pytest

from qflow.diagnostics import QflowError
from qflow.emulation.lowering import Lowered, lower
from qflow.emulation.op import Example
from qflow.emulation.runtimes import numpy as oracle
from tests.emulation.build import march, one_op

pytestmark = pytest.mark.usefixtures("both_paths")

ONE = Example(((1, 7),))


def table_of(lowered: Lowered) -> np.ndarray:
    return lowered.graph.constants["op.table"]


def lowered(op: str, scale: float, out: float, dtype: str = "int16", **changes: int) -> Lowered:
    return lower(one_op(op, ONE, [scale], out, dtype=dtype), march(**changes), "tosa.single")


@pytest.mark.parametrize(
    ("op", "x", "wanted"),
    [
        ("log", [-5, -1, 0, 1, 2], [-128, -128, -128, 0, 7]),
        ("sqrt", [-5, -1, 0, 1, 4], [-128, -128, 0, 10, 20]),
        ("reciprocal", [-5, -1, 0, 1, 2], [-2, -10, 127, 10, 5]),
        ("rsqrt", [-5, -1, 0, 1, 4], [-128, -128, 127, 10, 5]),
        ("acosh", [-5, 0, 1, 2, 3], [-128, -128, 0, 13, 18]),
    ],
)
def test_where_there_is_no_value(op: str, x: list[int], wanted: list[int]) -> None:
    """NaN and minus infinity are the lowest integer, infinity the highest."""
    graph = lowered(op, 1.0, 0.1, "int8").graph
    values = np.resize(np.array(x, np.float32), (1, 7))
    found = oracle.run(graph, {"x0": values}, ["op"])["op"]
    assert found[0, :5].tolist() == wanted


def test_a_table_is_no_larger_than_it_must_be() -> None:
    smooth = lowered("sigmoid", 8 / 32768, 1 / 32768)
    assert not smooth.diagnostics
    assert table_of(smooth).shape == (513,)
    assert table_of(lowered("sigmoid", 1 / 32768, 1 / 32768)).shape == (65,)
    assert table_of(lowered("sigmoid", 0.05, 0.01, "int8")).shape == (256,)


def test_a_table_that_is_too_small_is_said() -> None:
    found = lowered("sigmoid", 8 / 32768, 1 / 32768, table_segments=64)
    assert table_of(found).shape == (65,)
    (warning,) = found.diagnostics
    assert (warning.code, warning.severity) == ("QF510", "warning")
    assert "64 segments is off by up to" in warning.message


def test_where_no_table_is_large_enough() -> None:
    """Near 0 the root is steeper than any line."""
    found = lowered("sqrt", 4 / 32768, 2 / 32768)
    assert [d.code for d in found.diagnostics] == ["QF510"]
    assert table_of(found).shape == (8193,)


def test_a_march_without_tables_of_int16() -> None:
    with pytest.raises(QflowError) as failed:
        lowered("tanh", 0.01, 0.01, table_segments=0)
    assert [d.code for d in failed.value.diagnostics] == ["QF502"]
    assert lowered("tanh", 0.01, 0.01, "int8", table_segments=0).graph


def test_saturation_beside_the_curve_is_no_error() -> None:
    """The function leaves the grid of the output long before the input's grid ends."""
    assert not lowered("exp", 4 / 32768, 8 / 32768).diagnostics
    assert not lowered("reciprocal", 4 / 32768, 8 / 32768).diagnostics


@pytest.mark.parametrize("op", ["floor", "ceil"])
@pytest.mark.parametrize("scale", [1 / 3, 0.25, 1.0, 2.0, 3.7, 1e-3, 2.0**-70, 2.0**25])
def test_whole_numbers_are_exact(op: str, scale: float) -> None:
    """Also where a value lies on a whole number, and where the grid is finer or coarser than any."""
    graph = lower(one_op(op, ONE, [scale], 1.0, dtype="int16"), march(), "tosa.single").graph
    integers = np.array([[-32768, -3, -1, 0, 1, 3, 32767]], np.float64)
    step = float(np.float32(scale))
    found = oracle.run(graph, {"x0": (integers * step).astype(np.float32)}, ["op"])["op"]
    wanted = getattr(np, op)(integers * step)
    assert np.array_equal(found, np.clip(wanted, -32768, 32767))
