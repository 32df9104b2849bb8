"""Small prepared graphs with random weights, lowered to integer graphs; shared by the export tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from qflow import march
from qflow.dtype import DTYPES
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.plan.plan import ExportPlan
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode

BATCH = 2


@dataclass
class Net:
    """Builds a prepared graph node by node; every method returns the id of what it added."""

    shape: tuple[int, ...] = (4, 6, 6)
    """Of the input `image`, without the batch."""
    dtype: str = "int8"
    weight_dtype: str = "int8"
    input_scale: float = 0.02
    """Of int8, as every scale given to a method; int16 has a grid 256 times as fine."""
    seed: int = 0
    nodes: list[PreparedNode] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        shape = (BATCH, *self.shape)
        self.nodes.append(PreparedNode("image", "image", "input", (), shape=shape))
        self.add("quant", "quant", ("image",), self.input_scale, shape)

    def add(
        self,
        id_: str,
        op: str,
        inputs: tuple[str, ...],
        scale: float | None,
        shape: tuple[int, ...] = (),
        dtype: str | None = None,
        **more: Any,
    ) -> str:
        dtype = dtype or self.dtype
        grid = None if scale is None else Grid(DTYPES[dtype], self.fine(scale))
        out = dtype if grid else "int32"
        self.nodes.append(
            PreparedNode(id_, id_, op, inputs, grid=grid, out_dtype=out, shape=shape, **more)
        )
        return id_

    def fine(self, scale: float) -> np.ndarray:
        return np.array([scale if self.dtype == "int8" else scale / 256], np.float32)

    def gemm(
        self,
        id_: str,
        op: str,
        inputs: tuple[str, ...],
        scale: float | None,
        shape: tuple[int, ...],
        *,
        bias: bool = True,
        **more: Any,
    ) -> str:
        """A convolution or linear with weights of `shape`; `scale` None keeps the accumulator."""
        channels = shape[0]
        amax = self.random.uniform(0.2, 1.0, channels).astype(np.float32)
        weight = self.random.uniform(-1, 1, shape) * amax.reshape(-1, *[1] * (len(shape) - 1))
        qmax = DTYPES[self.weight_dtype].qmax
        grid = Grid(DTYPES[self.weight_dtype], (amax / qmax).astype(np.float32), axis=0)
        offset = self.random.uniform(-0.5, 0.5, channels).astype(np.float32) if bias else None
        return self.add(
            id_,
            op,
            inputs,
            scale,
            weight=weight.astype(np.float32),
            bias=offset,
            weight_grid=grid,
            **more,
        )

    def conv(
        self, id_: str, inputs: tuple[str, ...], scale: float | None, shape, **more: Any
    ) -> str:
        given = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
        given |= {k: more.pop(k) for k in list(more) if k in given}
        window = {k: (v, v) for k, v in given.items() if k in ("stride", "dilation")}
        attributes = {
            "kernel": tuple(shape[2:]),
            **window,
            "padding": (given["padding"],) * 4,
            "groups": given["groups"],
        }
        return self.gemm(id_, "conv2d", inputs, scale, shape, attributes=attributes, **more)

    def pool(
        self, id_: str, op: str, source: str, scale: float, kernel: int, stride: int, padding: int
    ) -> str:
        attributes = {"kernel": (kernel,) * 2, "stride": (stride,) * 2, "padding": (padding,) * 4}
        if op == "max_pool2d":
            attributes |= {"dilation": (1, 1), "ceil": False}
        return self.add(id_, op, (source,), scale, attributes=attributes)

    def prepared(self, *sources: str) -> PreparedGraph:
        """The whole graph; output `y` is the first source, `y1` the second, ..."""
        outputs, nodes = [], list(self.nodes)
        for k, source in enumerate(sources):
            dequant = f"dequant{k or ''}"
            nodes.append(PreparedNode(dequant, dequant, "dequant", (source,), out_dtype="float32"))
            outputs.append((f"y{k or ''}", dequant))
        return PreparedGraph(tuple(nodes), ("image",), tuple(outputs))

    def lowered(self, *sources: str, profile: str = "onnxruntime") -> IntegerGraph:
        return lower(self.prepared(*sources), march.load("generic"), profile).graph

    def images(self, count: int = 8) -> dict[str, np.ndarray]:
        """Values over the whole grid of the input and a little beyond."""
        reach = self.fine(self.input_scale) * DTYPES[self.dtype].qmax * 1.1
        values = self.random.uniform(-reach, reach, (count, *self.shape))
        return {"image": values.astype(np.float32)}


def export(**settings: Any) -> ExportPlan:
    """An export block with these settings."""
    data = tuple(
        (k, tuple(sorted(v.items())) if isinstance(v, dict) else v)
        for k, v in sorted(settings.items())
    )
    return ExportPlan("onnx", "model.onnx", data)


def dtype_of(graph: IntegerGraph, id_: str, dtype: str) -> IntegerGraph:
    """The graph with another dtype claimed for one node."""
    nodes = tuple(
        replace(n, output=replace(n.output, dtype=dtype)) if n.id == id_ else n for n in graph.nodes
    )
    return replace(graph, nodes=nodes)
