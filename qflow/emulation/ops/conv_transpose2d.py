"""conv_transpose2d: a transposed convolution, with whatever is fused behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.op import Example
from qflow.emulation.ops._convolution import Convolution


class ConvTranspose2d(Convolution):
    """Attributes: kernel, stride, padding, output_padding, dilation (one per axis), groups."""

    name = "conv_transpose2d"
    modules = ("torch.nn.ConvTranspose2d",)
    functions = ("torch.nn.functional.conv_transpose2d", "torch.conv_transpose2d")
    function = "conv_transpose2d"
    weight_axis = 1
    examples = (
        Example(
            ((2, 4, 5, 6),),
            {
                "kernel": (3, 3),
                "stride": (2, 2),
                "padding": (1, 1),
                "dilation": (1, 1),
                "groups": 1,
                "output_padding": (1, 0),
            },
            written=("nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=(1, 0))",),
        ),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        found = super().attributes_of_module(module)
        return {**found, "output_padding": tuple(module.output_padding)}
