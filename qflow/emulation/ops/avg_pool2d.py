"""avg_pool2d: the mean of each window, as an integer sum and one rescale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Op, Unsupported
from qflow.emulation.ops._window import argument, both_sides, pair

if TYPE_CHECKING:
    from torch import nn


class AvgPool2d(Op):
    """Attributes: kernel, stride (pairs), padding (top, left, bottom, right)."""

    name = "avg_pool2d"
    role = "pool"
    modules = ("torch.nn.AvgPool2d",)
    functions = ("torch.nn.functional.avg_pool2d",)

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        return _attributes(
            m.kernel_size,
            m.stride,
            m.padding,
            m.ceil_mode,
            m.count_include_pad,
            m.divisor_override,
        )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        names = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
        defaults = (None, None, 0, False, True)
        values = [
            argument(args, kwargs, i + 1, n, d)
            for i, (n, d) in enumerate(zip(names, defaults, strict=True))
        ]
        return _attributes(*values, argument(args, kwargs, 6, "divisor_override", None))


def _attributes(
    kernel: Any, stride: Any, padding: Any, ceil: bool, count_include_pad: bool, divisor: Any
) -> Mapping[str, Any]:
    if ceil:
        raise Unsupported("ceil_mode = True: windows at the edge would have other divisors")
    if divisor is not None:
        raise Unsupported(f"divisor_override = {divisor}: only the size of the window divides")
    sides = both_sides(padding)
    if any(sides) and not count_include_pad:
        raise Unsupported("count_include_pad = False: windows at the edge have other divisors")
    return {
        "kernel": pair(kernel, "kernel_size"),
        "stride": pair(stride or kernel, "stride"),
        "padding": sides,
    }
