"""roll: values moved along axes; what leaves at one end enters at the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Roll(Op):
    """Attributes: shifts, and dims (none negative), one for each."""

    name = "roll"
    role = "shape"
    integer = False
    shares_scale = True
    functions = ("torch.roll", "torch.Tensor.roll")
    examples = (
        Example(
            ((2, 4, 5, 3),),
            {"shifts": (-2, 1), "dims": (1, 2)},
            written=("torch.roll(x, shifts=(-2, 1), dims=(1, 2))", "x.roll((-2, 1), (1, -2))"),
        ),
        Example(((2, 6),), {"shifts": (1,), "dims": (1,)}, written=("torch.roll(x, 1, -1)",)),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        shifts = _numbers(argument(args, kwargs, 1, "shifts", ()))
        dims = _numbers(argument(args, kwargs, 2, "dims", ()))
        if len(shifts) != len(dims):
            raise Unsupported("without dims it mixes all axes: name one axis per shift")
        return {"shifts": shifts, "dims": tuple(d % len(shapes[0]) for d in dims)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].roll(node.attributes["shifts"], node.attributes["dims"])


def _numbers(value: Any) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)
