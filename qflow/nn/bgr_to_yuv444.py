"""bgr_to_yuv444: what a camera's NV12 does to an image: YUV with one U and V per four pixels."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from qflow.diagnostics import Diagnostic, fail
from qflow.functional.colour import bgr2yuv, rgb2yuv

__all__ = ["BgrToYuv444"]


class BgrToYuv444(nn.Module):
    """BGR [N, 3, H, W] in 0..255 to YUV of the same size in 0..255, by way of NV12.

    Full swing. U and V are the mean of each two by two pixels, rounded half up, and come back for
    each of the four. For training data, so that a model sees what it will get.
    """

    def __init__(self, channel_reversal: bool = False) -> None:
        """`channel_reversal`: the images are RGB."""
        super().__init__()
        self.channel_reversal = channel_reversal

    def forward(self, input: Tensor) -> Tensor:
        """Floating point tensors keep their dtype, others become float32. Raises QF293."""
        convert = rgb2yuv if self.channel_reversal else bgr2yuv
        yuv = convert(input, swing="full")
        height, width = yuv.shape[-2:]
        if yuv.dim() != 4 or height % 2 or width % 2:
            raise fail(
                Diagnostic(
                    "QF293",
                    f"NV12 has no images {list(input.shape)}: it takes [N, 3, H, W], H and W even",
                    help="crop or resize the image",
                )
            )
        whole = yuv.float()
        few = (functional.avg_pool2d(whole[:, 1:], 2) + 0.5).floor()
        many = few.repeat_interleave(2, -1).repeat_interleave(2, -2)
        whole[:, 1:] = many
        return whole.to(yuv.dtype)

    def extra_repr(self) -> str:
        return f"channel_reversal={self.channel_reversal}"
