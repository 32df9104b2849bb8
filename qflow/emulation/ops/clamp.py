"""clamp: values cut off at a lower and an upper bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Clamp(Op):
    """Attributes: low, high; None where there is no such bound."""

    name = "clamp"
    role = "activation"
    integer = False
    modules = ("torch.nn.Hardtanh",)
    functions = (
        "torch.clamp",
        "torch.clip",
        "torch.Tensor.clamp",
        "torch.Tensor.clip",
        "torch.clamp_",
        "torch.Tensor.clamp_",
        "torch.Tensor.clip_",
        "torch.clamp_min",
        "torch.Tensor.clamp_min",
        "torch.clamp_max",
        "torch.Tensor.clamp_max",
        "torch.nn.functional.hardtanh",
    )
    examples = (
        Example(
            ((2, 3),),
            {"low": 0, "high": 1},
            written=("torch.clamp(x, 0, 1)", "x.clip(min=0, max=1)", "F.hardtanh(x, 0, 1)"),
        ),
        Example(((2, 3),), {"low": -1.0, "high": 1.0}, written=("F.hardtanh(x)", "nn.Hardtanh()")),
        Example(((2, 3),), {"low": 0, "high": None}, written=("x.clamp(min=0)", "x.clamp_min(0)")),
        Example(((2, 3),), {"low": None, "high": 1}, written=("x.clamp(max=1)", "x.clamp_max(1)")),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        return {"low": module.min_val, "high": module.max_val}

    def attributes_of_function(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> Mapping[str, Any]:
        if len(shapes) != 1:
            raise Unsupported("a bound is a tensor: it must be a number")
        if function == "hardtanh":
            low = argument(args, kwargs, 1, "min_val", -1.0)
            return _bounds(low, argument(args, kwargs, 2, "max_val", 1.0))
        if function == "clamp_max":
            return _bounds(None, argument(args, kwargs, 1, "max", None))
        low = argument(args, kwargs, 1, "min", None)
        return _bounds(low, argument(args, kwargs, 2, "max", None))

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].clamp(node.attributes["low"], node.attributes["high"])


def _bounds(low: Any, high: Any) -> Mapping[str, Any]:
    for bound in (low, high):
        if bound is not None and not isinstance(bound, (int, float)):
            raise Unsupported(f"a bound is {bound!r}: it must be a number")
    return {"low": low, "high": high}
