"""pad: more rows and columns around a tensor, of zeros or of what stands at its edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode

MODES = ("constant", "reflect", "replicate", "circular")
_KINDS = {"Reflection": "reflect", "Replication": "replicate", "Circular": "circular"}


class Pad(Op):
    """Attributes: sides (as torch has them, last axis first), mode, value.

    The value lies on the grid of the operand: what is outside its range becomes its end.
    """

    name = "pad"
    role = "shape"
    integer = False
    shares_scale = True
    modules = tuple(
        f"torch.nn.{kind}Pad{n}d"
        for kind in ("Zero", "Constant", "Reflection", "Replication", "Circular")
        for n in (1, 2, 3)
    )
    functions = ("torch.nn.functional.pad",)
    examples = (
        Example(
            ((2, 3, 4, 5),),
            {"sides": (1, 2, 0, 1), "mode": "constant", "value": 0.0},
            written=(
                "F.pad(x, (1, 2, 0, 1))",
                "F.pad(x, [1, 2, 0, 1], value=0)",
                "nn.ZeroPad2d((1, 2, 0, 1))",
            ),
        ),
        Example(
            ((2, 3, 4, 5),),
            {"sides": (1, 1, 1, 1), "mode": "reflect", "value": 0.0},
            written=("F.pad(x, (1, 1, 1, 1), 'reflect')", "nn.ReflectionPad2d(1)"),
        ),
        Example(
            ((2, 3, 4, 5),),
            {"sides": (1, 1, 1, 1), "mode": "constant", "value": 0.5},
            written=("F.pad(x, (1, 1, 1, 1), 'constant', 0.5)", "nn.ConstantPad2d(1, 0.5)"),
        ),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        name = type(module).__name__
        mode = next((m for word, m in _KINDS.items() if name.startswith(word)), "constant")
        return _attributes(module.padding, mode, getattr(module, "value", 0.0))

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        sides = argument(args, kwargs, 1, "pad", ())
        mode = argument(args, kwargs, 2, "mode", "constant")
        return _attributes(sides, mode, argument(args, kwargs, 3, "value", None) or 0.0)

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import pad

        a = node.attributes
        value = a["value"] if a["mode"] == "constant" else None
        return pad(operands[0], a["sides"], a["mode"], value)


def _attributes(sides: Any, mode: str, value: float) -> Mapping[str, Any]:
    if mode not in MODES or not all(isinstance(s, int) for s in sides):
        raise Unsupported(f"pad = {sides!r}, mode = {mode!r}: whole numbers and a known mode")
    return {"sides": tuple(sides), "mode": mode, "value": float(value)}
