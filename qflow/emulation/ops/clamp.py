"""clamp: values cut off at a lower and an upper bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.op import CLAMP, ROUNDED, Call, Example, Fast, Op, Range, Unsupported
from qflow.emulation.ops import _codes
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Clamp(Op):
    """Attributes: low, high; None where there is no such bound.

    In integers both are there, on the grid of the result.
    """

    name = "clamp"
    role = "activation"
    fields = CLAMP
    within = ROUNDED
    keeps_type = True
    any_layout = True
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

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        low, high = attributes["low"], attributes["high"]
        raised = operands[0] if low is None else np.maximum(operands[0], low)
        return raised if high is None else np.minimum(raised, high)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.on_grid(node, 0)
        output = build.types[source]
        dtype, (low, high) = DTYPES[output.dtype], (node.attributes[n] for n in ("low", "high"))
        least = dtype.qmin if low is None else _codes.code(low, output, node, build)
        most = dtype.qmax if high is None else _codes.code(high, output, node, build)
        # as torch has it, the upper bound holds where they cross
        build.emit(node, "clamp", (source,), output, {"low": min(least, most), "high": most})

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return np.clip(operands[0], call.node.attributes["low"], call.node.attributes["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a = call.node.attributes
        return Fast(lambda x: x.clamp(a["low"], a["high"]))


def _bounds(low: Any, high: Any) -> Mapping[str, Any]:
    for bound in (low, high):
        if bound is not None and not isinstance(bound, (int, float)):
            raise Unsupported(f"a bound is {bound!r}: it must be a number")
    return {"low": low, "high": high}
