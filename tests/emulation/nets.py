"""Small networks as prepared graphs: what layout, files and runtimes are tested on."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.quantization.prepared import PreparedGraph, PreparedNode
from tests.emulation.build import grid, weight_grid

WINDOW = {
    "kernel": (3, 3),
    "stride": (1, 1),
    "padding": (1, 1, 1, 1),
    "dilation": (1, 1),
    "groups": 1,
}
POOL = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}


class Net:
    """Collects prepared nodes; every method returns the id of the node it adds."""

    def __init__(self, dtype: str = "int8", weight_dtype: str = "int8", seed: int = 0) -> None:
        self.dtype, self.weight_dtype = dtype, weight_dtype
        self.random = np.random.default_rng(seed)
        self.nodes: list[PreparedNode] = []
        self.inputs: list[str] = []

    def add(self, id: str, op: str, *inputs: str, scale: float | None = None, **more: Any) -> str:
        made = None if scale is None else grid(more.pop("dtype", self.dtype), scale)
        more.setdefault("out_dtype", made.dtype.name if made else "float32")
        self.nodes.append(PreparedNode(id, id, op, inputs, grid=made, **more))
        return id

    def input(self, name: str, shape: tuple[int, ...], scale: float = 0.03) -> str:
        self.inputs.append(self.add(name, "input", shape=shape))
        return self.add(f"quant_{name}", "quant", name, scale=scale)

    def conv(
        self, id: str, *inputs: str, channels: tuple[int, int], scale: float | None, **more: Any
    ) -> str:
        attributes = WINDOW | more.pop("attributes", {})
        taps = (channels[1], channels[0] // attributes["groups"], *attributes["kernel"])
        return self._gemm(id, "conv2d", inputs, taps, scale, attributes=attributes, **more)

    def linear(
        self, id: str, source: str, channels: tuple[int, int], scale: float | None, **more: Any
    ) -> str:
        return self._gemm(id, "linear", (source,), channels[::-1], scale, **more)

    def graph(self, **outputs: str) -> PreparedGraph:
        return PreparedGraph(tuple(self.nodes), tuple(self.inputs), tuple(outputs.items()))

    def _gemm(
        self, id: str, op: str, inputs: Any, taps: Any, scale: float | None, **more: Any
    ) -> str:
        weight = self.random.normal(size=taps).astype(np.float32) / np.sqrt(np.prod(taps[1:]))
        weight = weight.astype(np.float32)
        bias = self.random.normal(size=taps[0]).astype(np.float32)
        more.setdefault("out_dtype", "int32" if scale is None else self.dtype)
        return self.add(
            id,
            op,
            *inputs,
            scale=scale,
            weight=weight,
            bias=bias,
            weight_grid=weight_grid(weight, self.weight_dtype),
            **more,
        )


def residual_net(dtype: str = "int8", size: int = 8) -> PreparedGraph:
    """Two residual blocks, one fused and one with an add of its own, pools, a kept tail."""
    net = Net(dtype)
    x = net.input("image", (2, 3, size, size))
    a = net.conv("stem", x, channels=(3, 8), scale=0.03, activation="relu")
    b = net.conv("one.a", a, channels=(8, 8), scale=0.03, activation="relu6")
    c = net.conv("one.b", b, a, channels=(8, 8), scale=0.04, residual=True, activation="relu")
    p = net.add(
        "pool", "max_pool2d", c, scale=0.04, attributes=POOL | {"dilation": (1, 1), "ceil": False}
    )
    d = net.conv("two.a", p, channels=(8, 8), scale=0.03, attributes={"groups": 8})
    s = net.add("two.sum", "add", d, p, scale=0.05)
    r = net.add("two.relu", "relu", s, scale=0.04)
    v = net.add("mean", "avg_pool2d", r, scale=0.03, attributes=POOL)
    g = net.add("global", "adaptive_avg_pool2d", v, scale=0.02)
    i = net.add("drop", "identity", g, scale=0.02)
    f = net.add("flat", "flatten", i, scale=0.02, attributes={"start": 1, "end": -1})
    h = net.linear("head", f, (8, 5), None)
    return net.graph(logits=net.add("dequant", "dequant", h))


def wandering_net(dtype: str = "int8") -> PreparedGraph:
    """Permutes, reshapes and a cat of grids that differ around convolutions; a quantized tail."""
    net = Net(dtype, seed=1)
    x = net.input("image", (2, 4, 6, 5))
    y = net.input("other", (2, 3, 6, 5), scale=0.05)
    a = net.conv("a", x, channels=(4, 6), scale=0.03)
    c = net.add("cat", "cat", a, x, y, scale=0.04, attributes={"dim": 1})
    b = net.conv("b", c, channels=(13, 4), scale=0.03, activation="relu")
    p = net.add("last", "permute", b, scale=0.03, attributes={"dims": (0, 2, 3, 1)})
    i = net.add("same", "identity", p, scale=0.03)
    q = net.add("first", "permute", i, scale=0.03, attributes={"dims": (0, 3, 1, 2)})
    d = net.conv("c", q, channels=(4, 4), scale=0.03)
    r = net.add("rows", "reshape", d, scale=0.03, attributes={"shape": (24, 5)})
    h = net.linear("head", r, (5, 3), 0.03)
    t = net.conv("tail", d, channels=(4, 2), scale=None)
    return net.graph(
        rows=net.add("dequant_rows", "dequant", h),
        image=net.add("dequant_image", "dequant", t),
        last=net.add("dequant_last", "dequant", p),
    )
