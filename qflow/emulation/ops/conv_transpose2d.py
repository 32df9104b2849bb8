"""conv_transpose2d: a transposed convolution, with whatever is fused behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation import gemm, gemm_lowering
from qflow.emulation.op import Call, Example, Fast, Range, Unsupported, form
from qflow.emulation.ops._convolution import Convolution
from qflow.emulation.ops._norm import parameters_of
from qflow.emulation.ops._sliding import Sizes, convolved, geometry

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class ConvTranspose2d(Convolution):
    """Attributes: kernel, stride, dilation, output_padding (pairs), padding, groups.

    padding is taken away from each side: top, left, bottom, right. Modules have their weight as
    [inputs, outputs of a group, rows, columns]; an integer node has it as a convolution does,
    [outputs, inputs of a group, rows, columns].
    """

    name = "conv_transpose2d"
    modules = ("torch.nn.ConvTranspose2d",)
    functions = ("torch.nn.functional.conv_transpose2d", "torch.conv_transpose2d")
    weight_axis = 1
    fields = form(
        **gemm.FIELDS,
        kernel="pair",
        stride="pair",
        padding="padding",
        dilation="pair",
        groups="count",
        output_padding="axes",
    )
    image = True
    spatial = 2
    examples = (
        Example(
            ((2, 4, 5, 6),),
            {
                "kernel": (3, 3),
                "stride": (2, 2),
                "padding": (1, 1, 1, 1),
                "dilation": (1, 1),
                "groups": 1,
                "output_padding": (1, 0),
            },
            (4, 6, 3, 3),
            written=("nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=(1, 0))",),
        ),
        Example(
            ((2, 4, 3, 5), (2, 6, 9, 7)),
            {
                "kernel": (3, 2),
                "stride": (3, 1),
                "padding": (1, 0, 1, 0),
                "dilation": (2, 2),
                "groups": 2,
                "output_padding": (0, 0),
            },
            (4, 3, 3, 2),
            "relu",
            residual=True,
        ),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        found = super().attributes_of_module(module)
        return {**found, "output_padding": tuple(module.output_padding)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import conv_transpose2d

        a = node.attributes
        weight, bias = parameters_of(node)
        assert weight is not None, "a convolution has a weight"
        sides, more = a["padding"][:2], a["output_padding"]
        return conv_transpose2d(
            operands[0], weight, bias, a["stride"], sides, more, a["groups"], a["dilation"]
        )

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        assert weight is not None, "a convolution has a weight"
        result = _spread(operands[0], _outputs_first(weight, attributes["groups"]), attributes)
        return result if bias is None else result + bias.reshape(self.view)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if node.weight is not None and node.weight.ndim == 4 and node.weight_grid is not None:
            groups, grid = node.attributes["groups"], node.weight_grid
            if grid.scale.size > 1:
                if grid.axis != 1:
                    raise Unsupported("its weight's scales do not lie along the output channels")
                grid = replace(grid, scale=np.tile(grid.scale.reshape(-1), groups), axis=0)
            weight = _outputs_first(node.weight, groups)
            node = replace(node, weight=weight, weight_grid=grid)
        shape = build.operand(node, 0).shape
        taps = () if node.weight is None else node.weight.shape
        gemm_lowering.lower(node, build, self.shape(node.attributes, [shape], taps), axis=1)

    def shape(
        self, attributes: Mapping[str, Any], shapes: Sequence[Sizes], weight: Sizes = ()
    ) -> Sizes:
        groups, shape, more = attributes["groups"], shapes[0], attributes["output_padding"]
        kernel, stride, dilation, padding = geometry(attributes, 2)
        if len(shape) != 4 or len(weight) != 4:
            raise Unsupported(f"it reads a tensor {shape}: an image batch has four axes")
        if weight[0] % groups or weight[1] * groups != shape[1] or tuple(weight[2:]) != kernel:
            raise Unsupported(f"weights {weight} do not fit a tensor {shape}, groups {groups}")
        if len(more) != 2 or any(m >= max(stride[i], dilation[i]) for i, m in enumerate(more)):
            raise Unsupported(f"output_padding {more} is not below the stride or the dilation")
        if padding[:2] != padding[2:]:
            raise Unsupported(f"padding {padding} differs on opposite sides")
        rows, columns = (
            (shape[2 + i] - 1) * stride[i]
            + dilation[i] * (kernel[i] - 1)
            + 1
            + more[i]
            - 2 * padding[i]
            for i in range(2)
        )
        if rows < 1 or columns < 1:
            raise Unsupported(f"padding {padding} leaves nothing of a tensor {shape}")
        return shape[0], weight[0], rows, columns

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        weight = call.constants["weight"].astype(np.int64)
        acc = _spread(call.centred(0, operands[0]), weight, call.node.attributes)
        acc = acc + call.constants["bias"].astype(np.int64).reshape(self.view)
        residual = operands[1] if call.node.attributes["residual"] else None
        return gemm.finish(call, acc, residual, self.view)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from torch.nn.functional import conv_transpose2d

        a = call.node.attributes
        sides, more, groups = a["padding"][:2], a["output_padding"], a["groups"]

        def multiply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
            # as torch has it: [inputs, outputs of a group, rows, columns]
            parts = weight.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
            return conv_transpose2d(x, parts, bias, a["stride"], sides, more, groups, a["dilation"])

        return gemm.fast(call, ranges, device, self.view, multiply)


def _outputs_first(weight: np.ndarray, groups: int) -> np.ndarray:
    """[inputs, outputs of a group, ...] to [outputs, inputs of a group, ...]."""
    by_group = weight.reshape(groups, -1, *weight.shape[1:]).swapaxes(1, 2)
    return by_group.reshape(-1, weight.shape[0] // groups, *weight.shape[2:])


def _spread(x: np.ndarray, weight: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """The plain sums: zeros between the values, then a convolution with the kernel turned round."""
    kernel, stride, dilation, padding = geometry(attributes, 2)
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    rows, columns = ((x.shape[2 + i] - 1) * stride[i] + 1 for i in range(2))
    between = np.zeros((*x.shape[:2], rows, columns), x.dtype)
    between[:, :, :: stride[0], :: stride[1]] = x
    more = attributes["output_padding"]
    sides = [(0, 0), (0, 0), *((reach[i], reach[i] + more[i]) for i in range(2))]
    settings = {**attributes, "stride": (1, 1), "padding": (0, 0, 0, 0)}
    whole = convolved(np.pad(between, sides), weight[:, :, ::-1, ::-1], settings)
    top, left, bottom, right = padding
    return whole[:, :, top : whole.shape[2] - bottom, left : whole.shape[3] - right]
