"""What functions of one tensor share that change each value by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from qflow.emulation.op import Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Unary(Op):
    role = "activation"
    integer = False
    function: ClassVar[str]
    """What it computes, below `torch`: `sigmoid`, `nn.functional.mish`."""

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        result: Tensor = attrgetter(self.function)(torch)(operands[0], **node.attributes)
        return result


class Shaped(Unary):
    """A function with numbers that shape it; they are its attributes, by the names torch has."""

    settings: ClassVar[tuple[tuple[str, float | str], ...]]
    """The numbers with their defaults, in the order in which the function takes them."""

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        return {name: getattr(module, name) for name, _ in self.settings}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        found = {
            name: argument(args, kwargs, i + 1, name, default)
            for i, (name, default) in enumerate(self.settings)
        }
        if wrong := [n for n, v in found.items() if not isinstance(v, (int, float, str))]:
            raise Unsupported(f"{wrong[0]} = {found[wrong[0]]!r}: it must be a number")
        return found
