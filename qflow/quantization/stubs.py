"""Stubs: where a model enters and leaves the quantized region. In float they do nothing."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from qflow.diagnostics import Diagnostic, fail


class QuantStub(nn.Module):
    """Put one before the first operator, one per float input.

    `scale` fixes the scale of the input: 1 / 128 for a camera whose values were divided by 128.
    Without it the scale is observed. `qconfig` is that of the stub alone. Raises QflowError QF111
    for a scale that is not above 0, QF120 for a zero point other than 0.
    """

    def __init__(
        self, scale: float | None = None, zero_point: int | None = None, qconfig: Any = None
    ) -> None:
        super().__init__()
        if scale is not None and not _is_scale(scale):
            raise fail(
                Diagnostic(
                    "QF111",
                    f"the scale of a QuantStub is {scale!r}",
                    help="give a number above 0, such as 1 / 128, or leave it out",
                )
            )
        if zero_point not in (None, 0):
            raise fail(
                Diagnostic(
                    "QF120",
                    f"a zero point of {zero_point} is not supported: grids are symmetric",
                    help="subtract it from the input, or leave it out",
                )
            )
        self.scale = None if scale is None else float(scale)
        """The given scale; None when it is observed."""
        if qconfig is not None:
            self.qconfig = qconfig

    def forward(self, x: Tensor) -> Tensor:
        return x

    def extra_repr(self) -> str:
        return "" if self.scale is None else f"scale={self.scale:g}"


def _is_scale(value: Any) -> bool:
    try:
        return 0 < float(value) < float("inf")
    except (TypeError, ValueError):
        return False


class DeQuantStub(nn.Module):
    """Put one behind the last operator, one per output."""

    def __init__(self, qconfig: Any = None) -> None:
        super().__init__()
        if qconfig is not None:
            self.qconfig = qconfig

    def forward(self, x: Tensor) -> Tensor:
        return x
