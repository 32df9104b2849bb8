"""What mean and sum compute in integers: one sum along some axes, and one rescale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.arrays import as_array
from qflow.emulation.op import ROUNDED, Call, Constant, Example, Fast, Range, Unsupported, form
from qflow.emulation.ops import _rescaled
from qflow.emulation.ops._reduction import Reduction

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Total(Reduction):
    """Attributes: dims (none of them negative, in order), keepdim.

    The axis of the batch stays: neither the divisor nor the width of a sum can follow it.
    """

    integer = True
    fields = form(dims="axes", keepdim="flag", low="integer", high="integer")
    within = ROUNDED
    divides: ClassVar[bool]
    """Whether the sum is divided by the number of its terms."""

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        dims, keepdim = tuple(attributes["dims"]), attributes["keepdim"]
        total = as_array(operands[0].sum(axis=dims, keepdims=keepdim))
        if not self.divides:
            return total
        return total / prod(operands[0].shape[d] for d in dims)

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        whole = len(attributes["dims"]) == len(shapes[0]) and not attributes["keepdim"]
        return "its result has no axis: give keepdim = True, or leave one" if whole else ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0).shape
        dims = tuple(node.attributes["dims"])
        if set(dims) & set(build.free_axes(node.inputs[0])):
            raise Unsupported("it reduces the batch, whose size is free")
        attributes = {"dims": dims, "keepdim": node.attributes["keepdim"]}
        terms = prod(source[d] for d in dims)
        _rescaled.lower(
            node,
            build,
            self.shape(attributes, [source]),
            attributes,
            terms if self.divides else 1,
            terms=terms,
        )

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        dims, rank = attributes["dims"], len(shapes[0])
        if not dims or sorted(set(dims)) != list(dims) or dims[-1] >= rank:
            raise Unsupported(f"axes {tuple(dims)} of a tensor of {rank}")
        if attributes["keepdim"]:
            return tuple(1 if i in dims else s for i, s in enumerate(shapes[0]))
        return tuple(s for i, s in enumerate(shapes[0]) if i not in dims)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _rescaled.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        total = call.centred(0, operands[0]).sum(axis=a["dims"], keepdims=a["keepdim"])
        return _rescaled.oracle(call, total)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a = call.node.attributes
        terms = prod(call.sources[0].shape[d] for d in a["dims"])
        bound = _rescaled.reach(call, ranges) * terms
        return _rescaled.fast(call, bound, device, lambda x: x.sum(a["dims"], a["keepdim"]))


def examples(name: str) -> tuple[Example, ...]:
    """The forms in which models write `mean` and `sum`."""
    image = ((2, 3, 4, 5),)
    return (
        Example(
            image,
            {"dims": (2, 3), "keepdim": True},
            written=(
                f"x.{name}((2, 3), keepdim=True)",
                f"torch.{name}(x, (-1, -2), True)",
                f"torch.{name}(x, dim=[2, 3], keepdim=True)",
            ),
        ),
        Example(image, {"dims": (1,), "keepdim": False}, written=(f"x.{name}(dim=1)",)),
        Example(((2, 7, 3),), {"dims": (1, 2), "keepdim": False}, written=(f"x.{name}((1, 2))",)),
    )


def float_examples(name: str) -> tuple[Example, ...]:
    whole = {"dims": (0, 1, 2, 3), "keepdim": False}
    return (Example(((2, 3, 4, 5),), whole, written=(f"x.{name}()",)),)
