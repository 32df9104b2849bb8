"""max_pool2d: the largest value of each window; exact on integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Op, Unsupported
from qflow.emulation.ops._window import argument, both_sides, pair

if TYPE_CHECKING:
    from torch import nn


class MaxPool2d(Op):
    """Attributes: kernel, stride, dilation (pairs), padding (top, left, bottom, right), ceil."""

    name = "max_pool2d"
    role = "pool"
    modules = ("torch.nn.MaxPool2d",)
    functions = ("torch.nn.functional.max_pool2d", "torch.max_pool2d")
    shares_scale = True

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        return _attributes(
            m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, m.return_indices
        )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
        defaults = (None, None, 0, 1, False, False)
        values = [
            argument(args, kwargs, i + 1, n, d)
            for i, (n, d) in enumerate(zip(names, defaults, strict=True))
        ]
        return _attributes(*values)


def _attributes(
    kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, indices: bool
) -> Mapping[str, Any]:
    if indices:
        raise Unsupported("return_indices = True: only the values are computed")
    return {
        "kernel": pair(kernel, "kernel_size"),
        "stride": pair(stride or kernel, "stride"),
        "padding": both_sides(padding),
        "dilation": pair(dilation, "dilation"),
        "ceil": bool(ceil),
    }
