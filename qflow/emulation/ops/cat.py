"""cat: tensors one behind the other along an axis; all lie on one grid."""

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


class Cat(Op):
    """Attribute: dim, not negative."""

    name = "cat"
    role = "shape"
    functions = ("torch.cat", "torch.concat", "torch.concatenate")
    shares_scale = True
    operands = (1, 1 << 16)
    fields = form(dim="axis")
    within = EXACT
    keeps_type = True
    reads = MOVED
    writes = MOVED
    examples = (
        Example(
            ((2, 3, 4, 5), (2, 1, 4, 5)),
            {"dim": 1},
            written=(
                "torch.cat([x, y], 1)",
                "torch.cat((x, y), dim=-3)",
                "torch.concat([x, y], 1)",
            ),
        ),
        Example(((2, 7), (2, 2), (2, 1)), {"dim": 1}),
        Example(((2, 3), (4, 3)), {"dim": 0}, written=("torch.cat([x, y])",)),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        dim = argument(args, kwargs, 1, "dim", kwargs.get("axis", 0)) % len(shapes[0])
        return {"dim": int(dim)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        return torch.cat(operands, node.attributes["dim"])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        return np.concatenate(operands, axis=attributes["dim"])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        sources = rearrange.on_one_grid(node, build, range(len(node.inputs)))
        types = [build.types[s] for s in sources]
        if types[0].axis is not None:
            raise Unsupported("its operands have a scale per channel")
        shape = self.shape(node.attributes, [t.shape for t in types])
        output = rearrange.moved(types[0], shape)
        build.emit(node, "cat", sources, output, dict(node.attributes))

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        dim = attributes["dim"]
        if not dim < len(shapes[0]):
            raise Unsupported(f"dim = {dim} is no axis of a tensor {tuple(shapes[0])}")
        others = {tuple(s[:dim]) + tuple(s[dim + 1 :]) for s in shapes}
        if len(others) != 1 or len({len(s) for s in shapes}) != 1:
            raise Unsupported(f"shapes {tuple(shapes)} differ in more than axis {dim}")
        joined = sum(s[dim] for s in shapes)
        return (*shapes[0][:dim], joined, *shapes[0][dim + 1 :])

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return np.concatenate(operands, axis=call.node.attributes["dim"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        dim = call.node.attributes["dim"]

        def run(*parts: Tensor) -> Tensor:
            dtypes = {p.dtype for p in parts}
            # parts in several dtypes: float64 holds every integer any of them does
            same = parts if len(dtypes) == 1 else [p.double() for p in parts]
            return torch.cat(list(same), dim)

        return Fast(run)
