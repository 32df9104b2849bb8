"""One operator as a prepared graph, made from one of its examples: what the generic test runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from qflow.dtype import DTYPES
from qflow.emulation.op import Example, Op, op
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode

WHOLE = ("index", "mask")
"""Kinds of operands that lie on no grid."""
MARGIN = 1.02
"""A grid reaches so much farther than the values of the example."""
TOP = 10
"""Whole numbers stay below it: they stand for words."""


def values_of(kind: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Random values as an example asks for them: float32, or int32 where they are whole."""
    normal = random.normal(size=shape)
    made = {
        "float": normal,
        "positive": np.abs(normal) + 0.1,
        "above one": np.abs(normal) + 1,
        "unit": np.clip(normal, -0.9, 0.9),
        "mask": normal > 0,
        "index": random.integers(0, TOP, shape),
    }[kind]
    return made.astype(np.int32 if kind in WHOLE else np.float32)


def grid_for(values: np.ndarray, dtype: str, shifted: bool) -> Grid:
    """A grid that holds the values; `shifted`: from the lowest to the highest, so with a zero point."""
    kind = DTYPES[dtype]
    low, high = min(float(values.min()), 0.0) * MARGIN, max(float(values.max()), 0.0) * MARGIN
    if not shifted:
        reach = max(-low, high) or 1.0
        return Grid(kind, np.array([reach / kind.qmax], np.float32))
    step = np.float32(((high - low) or 1.0) / (kind.qmax - kind.qmin))
    zero = int(np.clip(round(kind.qmin - low / float(step)), kind.qmin, kind.qmax))
    return Grid(kind, np.array([step], np.float32), zero)


def on_grid(values: np.ndarray, grid: Grid) -> np.ndarray:
    """float64 values that lie on the grid."""
    view = (1,)
    if grid.axis is not None:
        view = tuple(-1 if i == grid.axis else 1 for i in range(values.ndim))
    scale = grid.scale.reshape(view)
    whole = np.rint(values.astype(np.float32) / scale) + grid.zero_point
    held = np.clip(whole, grid.dtype.qmin, grid.dtype.qmax) - grid.zero_point
    return held.astype(np.float64) * scale.astype(np.float64)


@dataclass(frozen=True)
class Case:
    """An operator, its operands, and the grids they lie on."""

    operator: Op
    example: Example
    operands: tuple[np.ndarray, ...]
    grids: tuple[Grid | None, ...]
    """None for whole numbers."""
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None
    weight_grid: Grid | None = None
    output_grid: Grid | None = None
    """None: the one that holds the result."""
    shifted: bool = False
    dtype: str = "int8"
    """Of every grid."""

    @cached_property
    def node(self) -> PreparedNode:
        """The node, without operands and output."""
        return PreparedNode(
            "op",
            "op",
            self.operator.name,
            tuple(f"q{i}" for i in range(len(self.operands))),
            dict(self.example.attributes),
            self.weight,
            self.bias,
            self.weight_grid,
            self.example.activation,
            self.example.residual,
        )

    @cached_property
    def exact(self) -> PreparedNode:
        """The node with parameters that lie on their grids, in float64."""
        node = self.node
        if self.weight_grid is None:
            wide = [None if p is None else p.astype(np.float64) for p in (node.weight, node.bias)]
            return replace(node, weight=wide[0], bias=wide[1])
        assert node.weight is not None
        assert self.grids[0] is not None
        weight, bias = on_grid(node.weight, self.weight_grid), node.bias
        if bias is not None:
            groups = bias.size // self.weight_grid.scale.size
            step = self.grids[0].scale.astype(np.float64) * np.tile(self.weight_grid.scale, groups)
            bias = np.rint(bias / step) * step
        return replace(node, weight=weight, bias=bias)

    @cached_property
    def given(self) -> tuple[np.ndarray, ...]:
        """The operands on their grids in float64, masks as bools, indices as int64."""
        return tuple(
            on_grid(x, g) if g is not None else x.astype(bool if k == "mask" else np.int64)
            for x, g, k in zip(self.operands, self.grids, kinds_of(self.example), strict=True)
        )

    @cached_property
    def _found(self) -> tuple[Tensor | tuple[Tensor, ...], Tensor | None]:
        """The operator's own result, and a residual to add."""
        operands = [torch.from_numpy(x) for x in self.given]
        added = operands.pop() if self.example.residual else None
        return self.operator.meaning(self.exact, *operands), added

    @cached_property
    def meanings(self) -> tuple[np.ndarray, ...]:
        """What the operator means in float64, one array per output, activation included."""
        found, added = self._found
        results = found if isinstance(found, tuple) else (found,)
        if added is not None:
            results = (results[0] + added,)
        if self.example.activation:
            results = (op(self.example.activation).meaning(self.node, results[0]),)
        return tuple(r.detach().numpy() for r in results)

    @cached_property
    def reals(self) -> tuple[np.ndarray, ...]:
        """The same from the NumPy form, without residual and activation."""
        operands = self.given[:-1] if self.example.residual else self.given
        node = self.exact
        found = self.operator.real(node.attributes, *operands, weight=node.weight, bias=node.bias)
        return found if isinstance(found, tuple) else (found,)

    @cached_property
    def output(self) -> Grid:
        """Grid of the output: that of the operands where the operator keeps it."""
        if self.output_grid is not None:
            return self.output_grid
        if keeps_grid(self.operator) and not self.example.activation:
            return next(g for g in self.grids if g is not None)
        first = next(m for m in self.meanings if is_float(m))
        return grid_for(first, self.dtype, self.shifted)

    @cached_property
    def constants(self) -> tuple[int, ...]:
        """Numbers of the operands that are constants of the model: those without the batch."""
        batch = len(self.operands[0])
        return tuple(i for i, x in enumerate(self.operands) if x.ndim < 1 or len(x) != batch)

    @cached_property
    def inputs(self) -> dict[str, np.ndarray]:
        """What a runtime of the graph is given."""
        pairs = enumerate(self.operands)
        return {f"x{i}": x for i, x in pairs if i not in self.constants}

    @cached_property
    def graph(self) -> PreparedGraph:
        """Inputs, quant stubs, constants, the operator, a dequant stub per output of floats.

        The outputs are called y0, y1, ...
        """
        nodes: list[PreparedNode] = []
        sources = []
        for i, (x, grid) in enumerate(zip(self.operands, self.grids, strict=True)):
            sources.append(f"x{i}" if grid is None else f"q{i}")
            nodes += self._operand(i, x, grid)
        several = isinstance(self._found[0], tuple)
        floats = any(map(is_float, self.meanings))
        node = replace(
            self.node,
            inputs=tuple(sources),
            grid=self.output if floats else None,
            out_dtype=self.output.dtype.name if floats else "index",
            shape=self.meanings[0].shape,
            free=self.free,
        )
        nodes.append(node)
        outputs = []
        for k, result in enumerate(self.meanings):
            made = f"op:{k}" if several else "op"
            if is_float(result):
                stub = PreparedNode(f"d{k}", f"d{k}", "dequant", (made,), out_dtype="float32")
                nodes.append(replace(stub, shape=result.shape))
            outputs.append((f"y{k}", f"d{k}" if is_float(result) else made))
        return PreparedGraph(tuple(nodes), tuple(self.inputs), tuple(outputs))

    @cached_property
    def free(self) -> tuple[int, ...]:
        """Axes of the output that grow with the batch."""
        if self.operator.name in ("reshape", "slice"):
            # their attributes hold the sizes of the example
            return (0,)
        at = [i for i in range(len(self.operands)) if i not in self.constants]
        more = [
            torch.from_numpy(np.concatenate([x, x[:1]]) if i in at else x)
            for i, x in enumerate(self.given[: len(self.given) - self.example.residual])
        ]
        try:
            found = self.operator.meaning(self.exact, *more)
        except RuntimeError:  # its attributes hold the batch of the example
            return (0,)
        grown = found[0] if isinstance(found, tuple) else found
        pairs = enumerate(zip(grown.shape, self.meanings[0].shape, strict=True))
        return tuple(i for i, (more, here) in pairs if more != here) or (0,)

    def _operand(self, i: int, x: np.ndarray, grid: Grid | None) -> list[PreparedNode]:
        quant = PreparedNode(f"q{i}", f"q{i}", "quant", (f"x{i}",), grid=grid, shape=x.shape)
        quant = replace(quant, out_dtype="index" if grid is None else grid.dtype.name)
        if i in self.constants:
            name = f"x{i}" if grid is None else f"q{i}"
            return [replace(quant, id=name, address=name, op="constant", inputs=(), weight=x)]
        dtype = "index" if grid is None else "float32"
        made = PreparedNode(f"x{i}", f"x{i}", "input", (), out_dtype=dtype, shape=x.shape)
        return [made] if grid is None else [made, quant]


def case(
    operator: Op,
    example: Example,
    dtype: str,
    shifted: bool = False,
    weight_dtype: str = "int8",
    seed: int = 0,
) -> Case:
    """The operator on random data that fill its grids."""
    random = np.random.default_rng(seed)
    kinds = kinds_of(example)
    operands = tuple(values_of(k, s, random) for k, s in zip(kinds, example.shapes, strict=True))
    on = [x for x, k in zip(operands, kinds, strict=True) if k not in WHOLE]
    whole = np.concatenate([x.ravel() for x in on]) if on else np.ones(1, np.float32)
    grids = tuple(
        None if k in WHOLE else grid_for(whole if keeps_grid(operator) else x, dtype, shifted)
        for x, k in zip(operands, kinds, strict=True)
    )
    made = parameters(operator, example, weight_dtype, random)
    return Case(operator, example, operands, grids, *made, None, shifted, dtype)


def parameters(
    operator: Op, example: Example, dtype: str, random: np.random.Generator
) -> tuple[np.ndarray | None, np.ndarray | None, Grid | None]:
    """Weight, bias and the weight's grid; all None where the example has no weight."""
    if example.weight is None:
        return None, None, None
    weight = random.normal(size=example.weight).astype(np.float32)
    shape, axis = example.bias, operator.weight_axis
    if shape is None and axis is not None:
        shape = (example.weight[axis] * (example.attributes.get("groups", 1) if axis else 1),)
    bias = None if shape is None else random.normal(size=shape).astype(np.float32)
    if axis is None:
        return weight, bias, None
    kind = DTYPES["int16" if dtype == "int16" else "int8"]
    top = np.abs(weight).max(tuple(i for i in range(weight.ndim) if i != axis))
    scale = np.where(top == 0, 1, top) / kind.qmax
    return weight, bias, Grid(kind, scale.astype(np.float32), 0, axis)


def kinds_of(example: Example) -> tuple[str, ...]:
    return example.kinds or ("float",) * len(example.shapes)


def keeps_grid(operator: Op) -> bool:
    """Whether operands and output lie on one grid."""
    return operator.keeps_type or operator.shares_scale


def is_float(values: np.ndarray) -> bool:
    return values.dtype.kind == "f"
