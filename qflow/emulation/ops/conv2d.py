"""conv2d: a convolution of an image batch, with whatever is fused behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation import gemm
from qflow.emulation.op import Call, Example, Fast, Range, form
from qflow.emulation.ops._convolution import Convolution

if TYPE_CHECKING:
    from torch import Tensor

VIEW = (1, -1, 1, 1)
"""Channels of an image batch."""


def _example(
    channels: int = 3,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, ...] = (1, 1, 1, 1),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
    activation: str | None = None,
    residual: bool = False,
) -> Example:
    """A 3x3 convolution of 7x6 images to twice as many channels."""
    image, output = (2, channels, 7, 6), (2, 2 * channels, 7, 6)
    attributes = {
        "kernel": (3, 3),
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }
    return Example(
        (image, output) if residual else (image,),
        attributes,
        (2 * channels, channels // groups, 3, 3),
        activation,
        residual,
    )


class Conv2d(Convolution):
    """Attributes: kernel, stride, dilation (pairs), padding (top, left, bottom, right), groups.

    padding_mode is there where it is not zeros; lowering then pads in a node of its own.
    """

    name = "conv2d"
    modules = ("torch.nn.Conv2d",)
    functions = ("torch.nn.functional.conv2d", "torch.conv2d")
    fields = form(
        **gemm.FIELDS,
        kernel="pair",
        stride="pair",
        padding="padding",
        dilation="pair",
        groups="count",
    )
    image = True
    spatial = 2
    examples = (
        _example(),
        _example(stride=(2, 1), padding=(0, 1, 2, 1), activation="relu"),
        _example(channels=6, groups=3, dilation=(2, 2)),
        _example(channels=4, groups=4, activation="relu6"),
        _example(residual=True, activation="relu"),
    )

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from torch.nn.functional import conv2d, pad

        from qflow.emulation.carriers.onednn import Geometry
        from qflow.emulation.carriers.products import Images

        a = call.node.attributes
        top, left, bottom, right = a["padding"]
        even = top == bottom and left == right

        def multiply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
            if not even:
                x = pad(x, (left, right, top, bottom))
            sides = (top, left) if even else 0
            return conv2d(x, weight, bias, a["stride"], sides, a["dilation"], a["groups"])

        def bring(x: Tensor) -> Tensor:
            return x if even else pad(x, (left, right, top, bottom))

        sides = (top, left) if even else (0, 0)
        geometry = Geometry(tuple(a["stride"]), sides, tuple(a["dilation"]), a["groups"])
        images = Images(geometry, bring, lambda r: r, lambda y, x: y)
        return gemm.fast(call, ranges, device, VIEW, multiply, images)
