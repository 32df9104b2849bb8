"""What functions of one tensor share that change each value by itself: a table in integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Op, Range, Unsupported
from qflow.emulation.ops import _table
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Unary(Op):
    """The integer node has no attributes: its table holds the function with both its grids."""

    role = "activation"
    any_layout = True
    within = _table.INTERPOLATED
    function: ClassVar[str]
    """What it computes, below `torch`: `sigmoid`, `nn.functional.mish`."""

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        """The function in float64; the settings are the attributes."""
        raise NotImplementedError

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        result: Tensor = attrgetter(self.function)(torch)(operands[0], **node.attributes)
        return result

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        with np.errstate(all="ignore"):
            return self.formula(operands[0], **attributes)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        settings = node.attributes
        _table.lower(node, build, node.op, lambda x: self.real(settings, x), self.within)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _table.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return _table.values(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _table.oracle(call, operands[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _table.fast(call, device)


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
