"""conv1d: a convolution of a row of values, with whatever is fused behind it."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._convolution import Convolution


class Conv1d(Convolution):
    """Attributes: kernel, stride, dilation (one number), padding (left, right), groups."""

    name = "conv1d"
    modules = ("torch.nn.Conv1d",)
    functions = ("torch.nn.functional.conv1d", "torch.conv1d")
    spatial = 1
    examples = (
        Example(
            ((2, 4, 9),),
            {"kernel": (3,), "stride": (2,), "padding": (1, 1), "dilation": (1,), "groups": 2},
            (6, 2, 3),
            written=("nn.Conv1d(4, 6, 3, (2,), (1,), groups=2)",),
        ),
        Example(
            ((2, 3, 9),),
            {"kernel": (4,), "stride": (1,), "padding": (3, 3), "dilation": (2,), "groups": 1},
            (5, 3, 4),
            "relu",
            written=("nn.Conv1d(3, 5, 4, padding='same', dilation=2)",),
        ),
        Example(
            ((2, 3, 7), (2, 3, 7)),
            {"kernel": (2,), "stride": (1,), "padding": (0, 1), "dilation": (1,), "groups": 3},
            (3, 1, 2),
            "relu6",
            residual=True,
        ),
    )
