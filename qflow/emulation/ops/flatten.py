"""flatten: neighbouring axes become one; in integers the batch stays free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation import rearrange
from qflow.emulation.op import EXACT, MOVED, Call, Example, Fast, Op, Range, Unsupported, form
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor, nn

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Flatten(Op):
    """Attributes: start, end (axes, end included; negative ones count from the last)."""

    name = "flatten"
    role = "shape"
    modules = ("torch.nn.Flatten",)
    functions = ("torch.flatten", "torch.Tensor.flatten", "torch.ravel", "torch.Tensor.ravel")
    shares_scale = True
    rearranges = True
    fields = form(start="axis", end="axis")
    within = EXACT
    keeps_type = True
    reads = MOVED
    writes = MOVED
    examples = (
        Example(((2, 3, 4, 5),), {"start": 1, "end": -1}, written=("nn.Flatten()",)),
        Example(
            ((2, 3, 4, 5),),
            {"start": 2, "end": 3},
            written=("x.flatten(2)", "torch.flatten(x, start_dim=-2)", "nn.Flatten(2, 3)"),
        ),
    )
    float_examples = (
        Example(((2, 3),), {"start": 0, "end": 1}, written=("x.flatten()", "x.ravel()")),
    )

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        return {"start": int(m.start_dim), "end": int(m.end_dim)}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        start = argument(args, kwargs, 1, "start_dim", 0)
        end = argument(args, kwargs, 2, "end_dim", -1)
        rank = len(shapes[0])
        return {"start": start % rank, "end": end % rank}

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        start = attributes["start"]
        whole = start == 0 or any(start == -len(shape) for shape in shapes)
        return "start_dim = 0 flattens the batch: start at 1" if whole else ""

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].flatten(node.attributes["start"], node.attributes["end"])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        rank = len(build.types[node.inputs[0]].shape)
        rearrange.emit(node, build, {n: node.attributes[n] % rank for n in ("start", "end")})

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        start, end, shape = attributes["start"], attributes["end"], tuple(shapes[0])
        if not 1 <= start <= end < len(shape):
            raise Unsupported(f"axes {start} to {end} of a tensor {shape} cannot be joined")
        return (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return operands[0].reshape(len(operands[0]), *call.node.output.shape[1:])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return Fast(lambda x: x.reshape(len(x), *call.node.output.shape[1:]))
