"""stack: tensors side by side along a new axis; all lie on one grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation import rearrange
from qflow.emulation.op import EXACT, MOVED, Call, Example, Fast, Op, Range, Unsupported, form
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Stack(Op):
    """Attribute: dim, the new axis, not negative."""

    name = "stack"
    role = "shape"
    shares_scale = True
    operands = (1, 1 << 16)
    fields = form(dim="axis")
    within = EXACT
    keeps_type = True
    reads = MOVED
    writes = MOVED
    functions = ("torch.stack",)
    examples = (
        Example(
            ((2, 3), (2, 3)),
            {"dim": 1},
            written=("torch.stack([x, y], 1)", "torch.stack((x, y), dim=-2)"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {"dim": argument(args, kwargs, 1, "dim", 0) % (len(shapes[0]) + 1)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        return torch.stack(operands, node.attributes["dim"])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        return np.stack(operands, axis=attributes["dim"])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        sources = rearrange.on_one_grid(node, build, range(len(node.inputs)))
        types = [build.types[s] for s in sources]
        if types[0].axis is not None:
            raise Unsupported("its operands have a scale per channel")
        shape = self.shape(node.attributes, [t.shape for t in types])
        output = rearrange.moved(types[0], shape)
        build.emit(node, "stack", sources, output, dict(node.attributes))

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        dim, shape = attributes["dim"], tuple(shapes[0])
        if dim > len(shape) or any(tuple(s) != shape for s in shapes):
            raise Unsupported(f"shapes {tuple(shapes)} cannot be stacked along axis {dim}")
        return (*shape[:dim], len(shapes), *shape[dim:])

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return np.stack(operands, axis=call.node.attributes["dim"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        dim = call.node.attributes["dim"]

        def run(*parts: Tensor) -> Tensor:
            dtypes = {p.dtype for p in parts}
            # parts in several dtypes: float64 holds every integer any of them does
            same = parts if len(dtypes) == 1 else [p.double() for p in parts]
            return torch.stack(list(same), dim)

        return Fast(run)
