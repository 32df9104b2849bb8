"""embedding: a row of a table for each whole number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Embedding(Op):
    """No attributes. It reads whole numbers, which have no grid: its rows are floats that enter the
    quantized part through a stub, as an input does.
    """

    name = "embedding"
    role = "boundary"
    integer = False
    modules = ("torch.nn.Embedding",)
    functions = ("torch.nn.functional.embedding", "torch.embedding")
    examples = (Example(((2, 5),), written=("nn.Embedding(10, 3)",), kinds=("index",)),)

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


def _attributes(max_norm: float | None) -> Mapping[str, Any]:
    if max_norm is not None:
        raise Unsupported(f"max_norm = {max_norm}: it changes the table while the model runs")
    return {}
