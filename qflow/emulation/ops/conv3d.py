"""conv3d: a convolution of a batch of volumes, with whatever is fused behind it."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._convolution import Convolution


class Conv3d(Convolution):
    """Attributes: kernel, stride, dilation (three numbers), padding, groups.

    padding is what goes before each of the three axes, then what goes behind each.
    """

    name = "conv3d"
    modules = ("torch.nn.Conv3d",)
    functions = ("torch.nn.functional.conv3d", "torch.conv3d")
    spatial = 3
    examples = (
        Example(
            ((2, 4, 5, 6, 7),),
            {
                "kernel": (3, 3, 3),
                "stride": (2, 1, 1),
                "padding": (1, 0, 1, 1, 0, 1),
                "dilation": (1, 1, 1),
                "groups": 2,
            },
            (6, 2, 3, 3, 3),
            written=("nn.Conv3d(4, 6, 3, (2, 1, 1), (1, 0, 1), groups=2)",),
        ),
        Example(
            ((1, 2, 4, 5, 6), (1, 2, 4, 5, 6)),
            {
                "kernel": (2, 1, 3),
                "stride": (1, 1, 1),
                "padding": (1, 0, 2, 1, 0, 2),
                "dilation": (2, 1, 2),
                "groups": 1,
            },
            (2, 2, 2, 1, 3),
            "relu",
            residual=True,
        ),
    )
