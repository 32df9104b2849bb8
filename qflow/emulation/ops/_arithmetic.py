"""What add, sub, mul, div and pow share: two tensors, or a tensor and a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.op import Op, Unsupported

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Arithmetic(Op):
    """Attributes, where an operand is a number: scalar and, where the order matters, reflected.

    `reflected` is true where the number comes first: `1 - x`. `alpha` multiplies the second operand
    of a sum; it is there only where it is not 1. Shapes broadcast as in torch.
    """

    role = "elementwise"
    operands = (1, 2)
    any_layout = True
    ordered: ClassVar[bool] = False
    """Whether the operands cannot change places."""

    def attributes_of_function(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> Mapping[str, Any]:
        given = [*args[:2], *(kwargs[n] for n in ("input", "other", "exponent") if n in kwargs)]
        swapped = function.startswith(("__r", "rsub"))
        attributes: dict[str, Any] = {}
        if len(shapes) == 1:
            number = next((v for v in given if v is not None), None)
            if not isinstance(number, (bool, int, float)):
                raise Unsupported(f"one operand is {number!r}: it must be a tensor or a number")
            attributes["scalar"] = number
        elif len(shapes) != 2:
            raise Unsupported(f"{len(shapes)} tensors: it takes two")
        if self.ordered and (swapped or (len(shapes) == 1 and given[0] is not None)):
            attributes["reflected"] = True
        if (alpha := kwargs.get("alpha", 1)) != 1:
            attributes["alpha"] = alpha
        return attributes

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return self.attributes_of_function("", args, kwargs, shapes)

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return self._of(node.attributes, operands)

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        with np.errstate(all="ignore"):
            found: np.ndarray = self._of(attributes, operands)
        return found

    def _of(self, attributes: Mapping[str, Any], operands: Sequence[Any]) -> Any:
        right = attributes["scalar"] if "scalar" in attributes else operands[1]
        left, right = (right, operands[0]) if attributes.get("reflected") else (operands[0], right)
        return self.compute(left, right * attributes["alpha"] if "alpha" in attributes else right)

    def compute(self, left: Any, right: Any) -> Any:
        """Of two tensors, or a tensor and a number, in torch or in NumPy."""
        raise NotImplementedError

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        try:
            return tuple(np.broadcast_shapes(*shapes))
        except ValueError:
            raise Unsupported(f"shapes {shapes[0]} and {shapes[1]} do not broadcast") from None


def number(value: Any, what: str) -> float:
    """A number that float32 can hold; one too small for it is 0. Raises Unsupported."""
    found = float(value)
    if not abs(found) <= float(np.finfo(np.float32).max):
        raise Unsupported(f"{what} = {value!r}: float32 must hold it")
    return found if abs(found) >= float(np.finfo(np.float32).tiny) else 0.0
