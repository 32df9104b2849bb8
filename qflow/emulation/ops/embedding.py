"""embedding: a row of a table for each whole number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.dtype import DTYPES
from qflow.emulation.builder import NotFinite, holds_whole_numbers, scale
from qflow.emulation.op import ROUNDED, Call, Constant, Example, Fast, Op, Range, Unsupported
from qflow.emulation.ops._window import argument
from qflow.emulation.rounding import to_grid

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Embedding(Op):
    """No attributes. It reads whole numbers, which have no grid: its rows are floats that enter the
    quantized part through a stub, as an input does. In integers the table lies on the stub's grid.
    """

    name = "embedding"
    role = "boundary"
    reads = ("int32",)
    within = ROUNDED
    modules = ("torch.nn.Embedding",)
    functions = ("torch.nn.functional.embedding", "torch.embedding")
    examples = (
        Example(((2, 5),), weight=(10, 3), written=("nn.Embedding(10, 3)",), kinds=("index",)),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        return _attributes(module.max_norm)

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return _attributes(argument(args, kwargs, 3, "max_norm", None))

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        assert node.weight is not None, "an embedding has a table"
        return torch.from_numpy(node.weight)[operands[0]]

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        assert weight is not None, "an embedding has a table"
        return weight[operands[0].astype(np.int64)]

    def lower(self, node: PreparedNode, build: Builder) -> None:
        name, table = node.inputs[0], node.weight
        if not holds_whole_numbers(build.types[name]):
            raise Unsupported(f"it reads {build.types[name].dtype}: it takes whole numbers")
        if table is None or table.ndim != 2:
            raise Unsupported("it has no table of rows")
        if not np.isfinite(table).all():
            raise NotFinite("its table holds NaN or infinity")
        output = build.output_type(node, (*build.types[name].shape, table.shape[1]))
        dtype, zero = DTYPES[output.dtype], output.zero_point
        low, high = dtype.qmin - zero, dtype.qmax - zero
        rows = to_grid(table, scale(output), build.rounding(node, node.grid), low, high) + zero
        build.emit(node, "embedding", (name,), output, {}, {"weight": rows.astype(output.dtype)})

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return (*shapes[0], weight[1])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        table = call.constants["weight"].shape if "weight" in call.constants else ()
        if len(table) != 2:
            raise Unsupported("it has no table of rows")
        return {"weight": Constant((call.node.output.dtype,), (table,))}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        table = call.constants["weight"]
        return int(table.min()), int(table.max())

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        table, index = call.constants["weight"].astype(np.int64), operands[0]
        if index.min() < 0 or index.max() >= len(table):
            raise _outside(call, int(index.min()), int(index.max()))
        return table[index]

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        table = torch.from_numpy(call.constants["weight"]).to(device)

        def run(index: Tensor) -> Tensor:
            low, high = (int(v) for v in torch.aminmax(index))
            if low < 0 or high >= len(table):
                raise _outside(call, low, high)
            return table[index.long()]

        return Fast(run)


def _outside(call: Call, low: int, high: int) -> QflowError:
    rows = len(call.constants["weight"])
    return fail(
        Diagnostic(
            "QF313",
            f"`{call.node.address}` has {rows} rows, and was asked for row "
            f"{low if low < 0 else high}",
            help=f"its input must hold whole numbers from 0 to {rows - 1}",
        )
    )


def _attributes(max_norm: float | None) -> Mapping[str, Any]:
    if max_norm is not None:
        raise Unsupported(f"max_norm = {max_norm}: it changes the table while the model runs")
    return {}
