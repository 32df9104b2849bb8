"""Layout: the same integers, fewer transposes, and what stays is listed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qflow.diagnostics import QflowError
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.layout import lay_out
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from tests.emulation.build import lowered
from tests.emulation.nets import POOL, Net, residual_net, wandering_net


def data(graph: IntegerGraph, batch: int = 3) -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    nodes = [graph.by_id[i] for i in graph.inputs]
    return {
        n.address: random.normal(size=(batch, *n.output.shape[1:])).astype(np.float32)
        for n in nodes
    }


@pytest.mark.parametrize("make", [residual_net, wandering_net])
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_same_integers(make, dtype: str) -> None:
    plain = lowered(make(dtype))
    turned = lay_out(plain, "nhwc")
    inputs = data(plain)
    keep = [n.id for n in plain.nodes if n.op not in ("input", "dequantize")]
    before, after = oracle.run(plain, inputs, keep), oracle.run(turned, inputs, keep)
    quick = TorchRuntime(turned).run({k: torch.from_numpy(v) for k, v in inputs.items()}, keep)
    for key in keep:
        value = after[key]
        assert np.array_equal(value, quick[key].numpy())
        if turned.by_id[key].output.layout == "nhwc":
            value = value.transpose(0, 3, 1, 2)
        assert np.array_equal(before[key], value)
    for name, _ in plain.outputs:
        assert before[name].tobytes() == np.ascontiguousarray(after[name]).tobytes()
        assert np.array_equal(after[name], quick[name].numpy())


def permutes(graph: IntegerGraph) -> list[str]:
    return [n.id for n in graph.nodes if n.op == "permute"]


def test_one_transpose_enters_a_residual_net_and_none_leaves_it() -> None:
    turned = lay_out(lowered(residual_net()), "nhwc")
    assert permutes(turned) == ["quant_image.nhwc"]
    assert turned.notes == ("quant_image.nhwc: a transpose stays between `quant_image` and `stem`",)
    assert {n.op for n in turned.nodes if n.output.layout == "nhwc"} == {
        "permute",
        "conv2d",
        "max_pool2d",
        "avg_pool2d",
        "add",
        "relu",
        "adaptive_avg_pool2d",
        "identity",
    }


def test_permutes_of_the_model_cancel_against_inserted_ones() -> None:
    turned = lay_out(lowered(wandering_net()), "nhwc")
    assert turned.by_id["last"].op == "identity"
    assert turned.by_id["last"].inputs == ("b",)
    assert "first.nhwc" not in turned.by_id or turned.by_id["first.nhwc"].op == "identity"


def test_a_flatten_of_a_real_image_keeps_its_transpose() -> None:
    net = Net()
    x = net.input("image", (2, 3, 4, 4))
    a = net.conv("a", x, channels=(3, 4), scale=0.03)
    p = net.add(
        "pool", "max_pool2d", a, scale=0.03, attributes=POOL | {"dilation": (1, 1), "ceil": False}
    )
    f = net.add("flat", "flatten", p, scale=0.03, attributes={"start": 1, "end": -1})
    plain = lowered(net.graph(y=net.add("d", "dequant", f)))
    turned = lay_out(plain, "nhwc")
    assert permutes(turned) == ["quant_image.nhwc", "pool.nchw"]
    inputs = data(plain)
    assert np.array_equal(oracle.run(plain, inputs)["y"], oracle.run(turned, inputs)["y"])


def test_nchw_is_what_lowering_made() -> None:
    graph = lowered(residual_net())
    assert lay_out(graph, "nchw") is graph


def test_unknown_layout() -> None:
    with pytest.raises(QflowError, match="QF503"):
        lay_out(lowered(residual_net()), "nchwc")
