"""conv3d: a convolution of a batch of volumes, with whatever is fused behind it."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._convolution import Convolution


class Conv3d(Convolution):
    """Attributes: kernel, stride, padding, dilation (one number per axis), groups.

    Padding is the same on both sides of an axis, or the words `same` and `valid`.
    """

    name = "conv3d"
    modules = ("torch.nn.Conv3d",)
    functions = ("torch.nn.functional.conv3d", "torch.conv3d")
    function = "conv3d"
    examples = (
        Example(
            ((2, 4, 5, 6, 7),),
            {
                "kernel": (3, 3, 3),
                "stride": (2, 1, 1),
                "padding": (1, 0, 1),
                "dilation": (1, 1, 1),
                "groups": 2,
            },
            written=("nn.Conv3d(4, 6, 3, (2, 1, 1), (1, 0, 1), groups=2)",),
        ),
    )
