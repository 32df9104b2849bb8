"""What max and min share, whose functions take one tensor, a tensor and an axis, or two tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.arrays import as_array
from qflow.emulation.op import ROUNDED, Example, Op, op
from qflow.emulation.ops import _along, _places
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Extreme(Op):
    """Attributes: dim, keepdim where an axis is given; then the result is (values, indices).

    In integers it becomes a reduction, a reduction and its places, or a comparison of two tensors.
    """

    role = "pool"
    index_part = 1
    operands = (1, 2)
    within = ROUNDED
    function: ClassVar[str]
    """Its name below `torch`."""
    of_two: ClassVar[str]
    """The operator that compares two tensors."""
    along: ClassVar[str]
    """The operator that reduces axes."""

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        dim = argument(args, kwargs, 1, "dim", None)
        if len(shapes) == 2 or dim is None:
            return {}
        keepdim = argument(args, kwargs, 2, "keepdim", False)
        return {"dim": int(dim) % len(shapes[0]), "keepdim": bool(keepdim)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor | tuple[Tensor, ...]:
        import torch

        found = getattr(torch, self.function)(*operands, **node.attributes)
        return tuple(found) if isinstance(found, tuple) else found

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if len(shapes) == 2:
            return ""
        a = attributes or {"keepdim": False}
        dims = (a["dim"],) if "dim" in a else tuple(range(len(shapes[0])))
        return _along.one_number(dims, a["keepdim"], shapes[0])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray | tuple[np.ndarray, ...]:
        if len(operands) == 2:
            return op(self.of_two).real(attributes, *operands)
        if not attributes:
            return as_array(getattr(np, self.along)(operands[0]))
        dim, keepdim = attributes["dim"], attributes["keepdim"]
        reduced = op(self.along).real({"dims": (dim,), "keepdim": keepdim}, operands[0])
        assert isinstance(reduced, np.ndarray)
        return reduced, _places.places(operands[0], dim, keepdim, self.function == "max")

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if len(node.inputs) == 2:
            # by the profile's own rule, where it has one
            found = op(self.of_two, build.profile.own)
            found.lower(replace(node, op=self.of_two), build)
            return
        dim, keepdim = node.attributes["dim"], node.attributes["keepdim"]
        reduced = {"dims": (dim,), "keepdim": keepdim}
        _along.emit(node, build, self.along, reduced, f"{node.id}:0")
        _places.emit(node, build, dim, keepdim, self.function == "max", f"{node.id}:1")


def examples(name: str) -> tuple[Example, ...]:
    """The forms in which models write `max` and `min`."""
    along = {"dim": 1, "keepdim": False}
    return (
        Example(((2, 3, 4),), along, written=(f"torch.{name}(x, 1)", f"x.{name}(dim=-2)")),
        Example(((2, 3), (2, 3)), written=(f"torch.{name}(x, y)",)),
    )


def of_all(name: str) -> tuple[Example, ...]:
    """The form that makes one number of all values."""
    return (Example(((2, 3),), written=(f"torch.{name}(x)", f"x.{name}()")),)
