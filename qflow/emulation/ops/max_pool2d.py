"""max_pool2d: the largest value of each window; exact on integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.op import EXACT, Call, Example, Fast, Op, Range, Unsupported, form
from qflow.emulation.ops._window import (
    argument,
    both_sides,
    ceil_padding,
    pad_image,
    pair,
    pool_shape,
    windows_of,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


def _example(
    kernel: tuple[int, int] = (2, 2),
    stride: tuple[int, int] = (2, 2),
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    dilation: tuple[int, int] = (1, 1),
    ceil: bool = False,
) -> Example:
    attributes = {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "ceil": ceil,
    }
    return Example(((2, 3, 8, 8),), attributes)


class MaxPool2d(Op):
    """Attributes: kernel, stride, dilation (pairs), padding (top, left, bottom, right), ceil."""

    name = "max_pool2d"
    role = "pool"
    modules = ("torch.nn.MaxPool2d",)
    functions = ("torch.nn.functional.max_pool2d", "torch.max_pool2d")
    shares_scale = True
    fields = form(kernel="pair", stride="pair", padding="padding", dilation="pair")
    image = True
    within = EXACT
    keeps_type = True
    examples = (
        _example(),
        _example(kernel=(3, 3), padding=(1, 1, 1, 1), ceil=True),
        _example(kernel=(3, 2), stride=(1, 1), dilation=(2, 1)),
    )

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

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import max_pool2d

        a = node.attributes
        sides = a["padding"][:2]
        return max_pool2d(operands[0], a["kernel"], a["stride"], sides, a["dilation"], a["ceil"])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        a = attributes
        padding = ceil_padding(a, operands[0].shape) if a["ceil"] else a["padding"]
        top, left, bottom, right = padding
        sides = ((0, 0), (0, 0), (top, bottom), (left, right))
        image = np.pad(operands[0], sides, constant_values=-np.inf)
        return windows_of(image, a["kernel"], a["stride"], a["dilation"]).max(axis=(4, 5))

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.on_grid(node, 0)
        shape = build.types[source].shape
        given = node.attributes
        padding = ceil_padding(given, shape) if given["ceil"] else given["padding"]
        attributes = {k: v for k, v in given.items() if k != "ceil"} | {"padding": padding}
        output = build.output_type(node, self.shape(attributes, [shape]))
        build.emit(node, "max_pool2d", (source,), output, attributes)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return pool_shape(attributes, shapes[0], attributes["dilation"])

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, lowest = call.node.attributes, DTYPES[call.node.output.dtype].qmin
        image = pad_image(operands[0], a["padding"], lowest)
        windows = windows_of(image, a["kernel"], a["stride"], a["dilation"])
        return windows.max(axis=(4, 5))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from torch.nn.functional import pad

        from qflow.emulation.carriers.windows import largest

        a, lowest = call.node.attributes, DTYPES[call.node.output.dtype].qmin
        top, left, bottom, right = a["padding"]
        padded = any(a["padding"])

        def run(x: Tensor) -> Tensor:
            if padded:
                x = pad(x, (left, right, top, bottom), value=lowest)
            return largest(x, a["kernel"], a["stride"], a["dilation"])

        return Fast(run)


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
