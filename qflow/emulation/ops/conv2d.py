"""conv2d: a convolution of an image batch, with whatever is fused behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation import gemm
from qflow.emulation.gemm_lowering import lower
from qflow.emulation.op import ROUNDED, Call, Constant, Example, Fast, Op, Range, Unsupported, form
from qflow.emulation.ops._window import both_sides, image_shape, pad_image, pair, same, windows_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

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


class Conv2d(Op):
    """Attributes: kernel, stride, dilation (pairs), padding (top, left, bottom, right), groups.

    padding_mode is there where it is not zeros; that has no integer form.
    """

    name = "conv2d"
    role = "gemm"
    modules = ("torch.nn.Conv2d",)
    functions = ("torch.nn.functional.conv2d", "torch.conv2d")
    pattern_word = "conv"
    operands = (1, 2)
    weight_axis = 0
    writes = gemm.WRITES
    fields = form(
        **gemm.FIELDS,
        kernel="pair",
        stride="pair",
        padding="padding",
        dilation="pair",
        groups="count",
    )
    image = True
    within = ROUNDED
    examples = (
        _example(),
        _example(stride=(2, 1), padding=(0, 1, 2, 1), activation="relu"),
        _example(channels=6, groups=3, dilation=(2, 2)),
        _example(channels=4, groups=4, activation="relu6"),
        _example(residual=True, activation="relu"),
    )

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        kernel, stride = pair(m.kernel_size, "kernel_size"), pair(m.stride, "stride")
        dilation = pair(m.dilation, "dilation")
        if m.padding == "same":
            padding = same(kernel, dilation)
        elif m.padding == "valid":
            padding = (0, 0, 0, 0)
        else:
            padding = both_sides(m.padding)
        return {
            "kernel": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": int(m.groups),
            **({} if m.padding_mode == "zeros" else {"padding_mode": m.padding_mode}),
        }

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        mode = attributes.get("padding_mode", "zeros")
        return "" if mode == "zeros" else f'padding_mode = "{mode}": only "zeros" is integer'

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        raise Unsupported("a functional conv2d has no place for its weight's scale: use nn.Conv2d")

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch
        from torch.nn.functional import conv2d, pad

        a = node.attributes
        top, left, bottom, right = a["padding"]
        mode = a.get("padding_mode", "constant")
        image = pad(operands[0], (left, right, top, bottom), mode)
        weight, bias = torch.from_numpy(node.weight), torch.from_numpy(node.bias)
        return conv2d(image, weight, bias, a["stride"], 0, a["dilation"], a["groups"])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0).shape
        weight = () if node.weight is None else node.weight.shape
        lower(node, build, self.shape(node.attributes, [source], weight), axis=1)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        groups = attributes["groups"]
        batch, channels, rows, columns = image_shape(attributes, shapes[0], attributes["dilation"])
        if len(weight) != 4 or weight[0] % groups or weight[1] * groups != channels:
            raise Unsupported(f"weights {weight} do not fit {channels} channels, groups {groups}")
        if tuple(weight[2:]) != tuple(attributes["kernel"]):
            raise Unsupported(f"weights {weight} do not fit a kernel {attributes['kernel']}")
        return batch, weight[0], rows, columns

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, weight = call.node.attributes, call.constants["weight"].astype(np.int64)
        image = pad_image(call.centred(0, operands[0]), a["padding"], 0)
        windows = windows_of(image, a["kernel"], a["stride"], a["dilation"])
        groups = zip(
            np.split(windows, a["groups"], axis=1), np.split(weight, a["groups"]), strict=True
        )
        sums = [np.tensordot(x, w, axes=((1, 4, 5), (1, 2, 3))) for x, w in groups]
        acc = np.moveaxis(np.concatenate(sums, axis=3), 3, 1)
        acc = acc + call.constants["bias"].astype(np.int64).reshape(VIEW)
        return gemm.finish(call, acc, operands[1] if a["residual"] else None, VIEW)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from torch.nn.functional import conv2d, pad

        a = call.node.attributes
        top, left, bottom, right = a["padding"]
        even = top == bottom and left == right

        def multiply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
            if not even:
                x = pad(x, (left, right, top, bottom))
            sides = (top, left) if even else 0
            return conv2d(x, weight, bias, a["stride"], sides, a["dilation"], a["groups"])

        return gemm.fast(call, ranges, device, VIEW, multiply)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return gemm.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return gemm.values(call, ranges)
