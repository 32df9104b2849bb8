"""conv1d: a convolution of a row of values, with whatever is fused behind it."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._convolution import Convolution


class Conv1d(Convolution):
    """Attributes: kernel, stride, padding, dilation (one number per axis), groups.

    Padding is the same on both sides of an axis, or the words `same` and `valid`.
    """

    name = "conv1d"
    modules = ("torch.nn.Conv1d",)
    functions = ("torch.nn.functional.conv1d", "torch.conv1d")
    function = "conv1d"
    examples = (
        Example(
            ((2, 4, 9),),
            {"kernel": (3,), "stride": (2,), "padding": (1,), "dilation": (1,), "groups": 2},
            written=("nn.Conv1d(4, 6, 3, (2,), (1,), groups=2)",),
        ),
    )
