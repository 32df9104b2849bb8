"""adaptive_avg_pool2d: the mean of a whole image per channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import nn


class AdaptiveAvgPool2d(Op):
    """No attributes: the output is always one row and one column.

    `x.mean((2, 3))` is not listed: a call `mean(x, 1)` could not be told from an output size of 1.
    """

    name = "adaptive_avg_pool2d"
    role = "pool"
    modules = ("torch.nn.AdaptiveAvgPool2d",)
    functions = ("torch.nn.functional.adaptive_avg_pool2d",)

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        return _of_size(m.output_size)

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return _of_size(argument(args, kwargs, 1, "output_size", None))


def _of_size(size: Any) -> Mapping[str, Any]:
    if size not in (1, (1, 1), [1, 1]):
        raise Unsupported(f"output_size = {size!r}: only the mean of the whole image, 1")
    return {}
