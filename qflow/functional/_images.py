"""What colour functions share: what an image is, and the swing that nobody chose."""

from __future__ import annotations

import logging
from functools import cache

from torch import Tensor

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.colour_space import SWINGS

_LOG = logging.getLogger("qflow")


def as_image(input: Tensor, function: str) -> Tensor:
    """The image as floats; [..., 3, H, W]. Raises QF293 for another shape."""
    if input.dim() < 3 or input.shape[-3] != 3:
        raise fail(
            Diagnostic(
                "QF293",
                f"`{function}` takes images [..., 3, H, W], not {list(input.shape)}",
                help="bring the channels before rows and columns: `permute(0, 3, 1, 2)`",
            )
        )
    return input if input.is_floating_point() else input.float()


def chosen(swing: str | None, function: str) -> str:
    """The swing, `full` where nobody chose one: QF290 is logged once. Raises QF293 for another."""
    if swing is None:
        say(
            "QF290",
            f"`{function}` without `swing` uses full, as the camera path of accelerators does; the "
            "toolchain's default is studio: write the one your camera has",
        )
        return "full"
    if swing not in SWINGS:
        message = f"`{function}` knows no swing `{swing}`: it is {' or '.join(SWINGS)}"
        raise fail(Diagnostic("QF293", message))
    return swing


@cache
def say(code: str, text: str) -> None:
    """Log a warning, the first time only: data pipelines call these functions for every image."""
    _LOG.warning("%s warning: %s", code, text)
