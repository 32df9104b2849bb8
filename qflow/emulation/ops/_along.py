"""What operators share that take the largest or smallest value along axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.op import EXACT, Call, Fast, Range, Unsupported, form
from qflow.emulation.ops._reduction import Reduction

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Along(Reduction):
    """Attributes: dims (none of them negative, in order), keepdim. Exact on integers."""

    integer = True
    shares_scale = True
    fields = form(dims="axes", keepdim="flag")
    within = EXACT
    keeps_type = True
    function: ClassVar[str]
    """Its name below `torch` and `numpy`: `amax`."""

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return one_number(attributes["dims"], attributes["keepdim"], shapes[0])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        a = attributes
        result: np.ndarray = getattr(np, self.function)(
            operands[0], axis=a["dims"], keepdims=a["keepdim"]
        )
        return result

    def lower(self, node: PreparedNode, build: Builder) -> None:
        emit(node, build, self.name, dict(node.attributes), node.id)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return without(tuple(shapes[0]), attributes["dims"], attributes["keepdim"])

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return self.real(call.node.attributes, operands[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, reduce = call.node.attributes, getattr(torch, self.function)

        def run(x: Tensor) -> Tensor:
            found: Tensor = reduce(x, dim=a["dims"], keepdim=a["keepdim"])
            return found

        return Fast(run)


def emit(
    node: PreparedNode, build: Builder, name: str, attributes: Mapping[str, Any], id: str
) -> None:
    """Emit the reduction of that name on the grid of the output."""
    source = build.on_grid(node, 0)
    shape = without(build.types[source].shape, attributes["dims"], attributes["keepdim"])
    build.emit(node, name, (source,), build.output_type(node, shape), attributes, id=id)


def without(shape: tuple[int, ...], dims: Sequence[int], keepdim: bool) -> tuple[int, ...]:
    """The shape behind a reduction. Raises Unsupported for axes that are not there."""
    if not dims or max(dims) >= len(shape) or sorted(set(dims)) != list(dims):
        raise Unsupported(f"axes {tuple(dims)} of a tensor {shape} cannot be reduced")
    if why := one_number(dims, keepdim, shape):
        raise Unsupported(why)
    kept = (1 if i in dims else s for i, s in enumerate(shape) if keepdim or i not in dims)
    return tuple(kept)


def one_number(dims: Sequence[int], keepdim: bool, shape: Sequence[int]) -> str:
    """Why a reduction has no integer form; empty: it has."""
    if keepdim or len(dims) < len(shape):
        return ""
    return "it makes one number of all samples: a tensor of the integer graph has axes"
