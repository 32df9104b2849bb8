"""Lowering: the integers it stores, and what it refuses or warns of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qflow.diagnostics import QflowError
from qflow.emulation.lowering import lower
from qflow.emulation.op import Example
from qflow.emulation.runtimes import numpy as oracle
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode
from tests.emulation.build import PROFILES, grid, lowered, march, one_op
from tests.emulation.nets import Net, residual_net


def small(**changes: object) -> PreparedGraph:
    """A linear of three inputs and two outputs."""
    settings: dict = {
        "weight": np.array([[1.27, -0.5, 0.005], [0.0, 0.0, 0.0]], np.float32),
        "bias": np.array([0.25, -1.0], np.float32),
    }
    return one_op("linear", Example(((1, 3),), {}, (2, 3)), [0.5], 0.1, **(settings | changes))


def edited(graph: PreparedGraph, id: str, **changes: object) -> PreparedGraph:
    nodes = tuple(replace(n, **changes) if n.id == id else n for n in graph.nodes)
    return replace(graph, nodes=nodes)


def codes(graph: PreparedGraph, **settings: object) -> list[str]:
    with pytest.raises(QflowError) as caught:
        lower(graph, march(**settings), "mul15")
    return [d.code for d in caught.value.diagnostics]


def test_constants_of_a_linear() -> None:
    graph = lowered(small(), "mul15")
    made = {role: graph.constants[key] for role, key in graph.by_id["op"].constants.items()}
    # scales 0.01 and, for the channel of zeros, 1/127; 0.005 / 0.01 is a tie and goes to even
    assert made["weight"].tolist() == [[127, -50, 0], [0, 0, 0]]
    assert made["bias"].tolist() == [50, -254]
    assert made["weight"].dtype == np.int8
    assert made["bias"].dtype == made["multiplier"].dtype == np.int32
    # 0.5 * 0.01 / 0.1 = 0.05 = 26214.4 * 2^-19, and 0.5 / 127 / 0.1 = 20641.3 * 2^-19
    assert made["multiplier"].tolist() == [26214, 20641]
    assert made["shift"].tolist() == [19, 19]
    y = oracle.run(graph, {"x0": np.array([[0.5, 1.0, -0.5]], np.float32)}, ["op"])["op"]
    # (127 - 100 + 50) * 0.05 = 3.85 and -254 * 0.0394 = -10
    assert y.tolist() == [[4, -10]]


def test_a_kept_accumulator_has_a_scale_per_channel() -> None:
    graph = lowered(small(out_dtype="int32"), "mul15")
    output = graph.by_id["op"].output
    assert (output.dtype, output.axis) == ("int32", 1)
    assert np.array_equal(output.scale, np.float32(0.5) * np.array([0.01, 1 / 127], np.float32))
    result = oracle.run(graph, {"x0": np.array([[0.5, 1.0, -0.5]], np.float32)}, ["op"])
    assert result["op"].tolist() == [[77, -254]]
    assert np.array_equal(result["y"], np.array([[77, -254]], np.float32) * output.scale)


def test_relu6_ends_at_six() -> None:
    prepared = one_op("relu6", Example(((1, 256),)), [0.07], 0.07)
    graph = lowered(prepared)
    assert (graph.by_id["op"].attributes["low"], graph.by_id["op"].attributes["high"]) == (0, 86)
    net = Net()
    x = net.input("image", (1, 2, 3, 3))
    tail = net.conv("tail", x, channels=(2, 3), scale=None, activation="relu6")
    graph = lowered(net.graph(y=net.add("d", "dequant", tail)))
    result = oracle.run(graph, {"image": np.full((1, 2, 3, 3), 3, np.float32)})["y"]
    assert 0 <= result.min() <= result.max() <= 6.001


def test_cat_rescales_what_lies_elsewhere() -> None:
    prepared = one_op("cat", Example(((1, 2), (1, 2)), {"dim": 1}), [0.5, 0.25], 0.5)
    graph = lowered(prepared)
    assert graph.by_id["op"].inputs == ("q0", "op.rescale1")
    assert graph.notes == ("op.rescale1: `q1` does not lie on the grid of `op`",)
    values = {"x0": np.array([[1, -1]], np.float32), "x1": np.array([[1.25, -1.25]], np.float32)}
    # -2.5 steps rounds half up
    assert oracle.run(graph, values, ["op"])["op"].tolist() == [[2, -2, 3, -2]]


def test_a_narrower_grid_clips() -> None:
    prepared = one_op(
        "identity", Example(((1, 3),)), [0.5], 0.5, in_dtypes=["int16"], out_dtype="int8"
    )
    values = {"x0": np.array([[100.0, -100.0, 3.0]], np.float32)}
    assert oracle.run(lowered(prepared), values, ["op"])["op"].tolist() == [[127, -128, 6]]


def test_an_accumulator_that_may_overflow_is_named() -> None:
    weight = np.ones((1, 300), np.float32)
    prepared = one_op(
        "linear",
        Example(((1, 300),), {}, (1, 300)),
        [1.0],
        1.0,
        dtype="int16",
        weight_dtype="int16",
        weight=weight,
        bias=None,
    )
    found = lower(prepared, march(), "mul15")
    (warning,) = found.diagnostics
    assert (warning.code, warning.severity) == ("QF507", "warning")
    assert "`op`" in warning.message
    assert f"{300 * 32767 * 32768:.4g}" in warning.message
    values = {"x0": np.full((1, 300), 32767, np.float32)}
    kept = edited(edited(prepared, "op", grid=None), "op", out_dtype="int32")
    assert oracle.run(lowered(kept), values, ["op"])["op"].tolist() == [[2**31 - 1]]


def test_no_warning_where_the_weights_prove_it_fits() -> None:
    assert lower(residual_net(), march(), "mul15").diagnostics == ()
    assert lower(residual_net("int16"), march(), "mul15").diagnostics == ()


def test_a_bias_that_does_not_fit() -> None:
    assert codes(small(bias=np.array([1e9, 0.0], np.float32))) == ["QF506"]
    assert codes(small(bias=np.array([300.0, 0.0], np.float32)), bias_bits=16) == ["QF506"]
    lower(small(bias=np.array([100.0, 0.0], np.float32)), march(bias_bits=16), "mul15")


def test_what_has_no_grid() -> None:
    assert codes(edited(small(), "op", grid=None)) == ["QF401"]
    assert codes(edited(small(), "op", weight_grid=None)) == ["QF401"]
    assert codes(edited(small(), "q0", grid=None)) == ["QF401"]
    for scale in (0.0, -1.0, np.nan, np.inf):
        assert codes(edited(small(), "op", grid=grid("int8", scale))) == ["QF401"]
    # input times weight is 0 in float32
    assert codes(edited(small(bias=None), "q0", grid=grid("int8", 1e-44))) == ["QF401"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_parameters_that_are_not_finite(value: float) -> None:
    assert codes(small(bias=np.array([value, 0.0], np.float32))) == ["QF403"]
    broken = np.array([[1.0, value, 0.0], [0.0, 0.0, 0.0]], np.float32)
    assert codes(edited(small(), "op", weight=broken)) == ["QF403"]


def test_what_stays_float() -> None:
    left = edited(small(), "op", out_dtype="float32", shape=(1, 2))
    assert [n.op for n in lowered(left).nodes] == ["input", "quantize", "dequantize"] + [
        "island"
    ] * 2
    assert codes(edited(small(), "op", inputs=("x0",))) == ["QF120"]
    no_stub = replace(small(), outputs=(("y", "op"),))
    assert codes(no_stub) == ["QF120"]
    assert codes(replace(small(), outputs=(("y", "x0"),))) == ["QF120"]


def test_what_has_no_integer_form() -> None:
    assert codes(edited(small(), "op", op="batch_norm")) == ["QF502"]
    assert codes(edited(small(), "op", op="instance_norm")) == ["QF502"]
    assert codes(edited(small(), "op", weight=np.ones((2, 4), np.float32))) == ["QF502"]
    assert codes(edited(small(), "op", activation="tanh")) == ["QF502"]
    shifted = Grid(grid("int8", 0.1).dtype, np.array([0.1], np.float32), 300)
    assert codes(edited(small(), "op", grid=shifted)) == ["QF502"]
    assert codes(edited(small(), "op", grid=grid("int8", [0.1, 0.2]))) == ["QF502"]
    assert codes(small(), accumulator_bits=64) == ["QF120"]


def test_every_mistake_is_reported_at_once() -> None:
    net = Net()
    x = net.input("image", (1, 2, 4, 4))
    net.conv("a", x, channels=(2, 2), scale=0.1, activation="tanh")
    bad = net.conv("b", x, channels=(2, 2), scale=0.1)
    net.nodes[-1] = replace(net.nodes[-1], grid=None)
    net.conv("c", bad, channels=(2, 2), scale=0.1)
    net.add("d", "dequant", "c")
    assert codes(net.graph(y="d")) == ["QF502", "QF401"]


@pytest.mark.parametrize("profile", PROFILES)
def test_ids_and_addresses_are_those_of_the_model(profile: str) -> None:
    prepared = residual_net()
    graph = lowered(prepared, profile)
    assert [n.id for n in graph.nodes] == [n.id for n in prepared.nodes]
    assert graph.profile == profile
    assert graph.outputs == prepared.outputs


def test_a_second_call_has_its_own_node() -> None:
    net = Net()
    x = net.input("image", (1, 2, 4, 4))
    first = net.conv("block", x, channels=(2, 2), scale=0.03)
    again = replace(net.nodes[-1], id="block#1", inputs=(first,))
    net.nodes.append(again)
    graph = lowered(net.graph(y=net.add("d", "dequant", "block#1")))
    assert (graph.by_id["block#1"].address, graph.by_id["block#1"].inputs) == ("block", ("block",))
    assert np.array_equal(graph.constants["block.weight"], graph.constants["block#1.weight"])


def test_prepared_nodes_need_no_shapes_but_the_inputs() -> None:
    graph = lowered(residual_net())
    assert graph.by_id["head"].output.shape == (2, 5)
    assert isinstance(residual_net().nodes[1], PreparedNode)
