"""colour_back: centred YUV back to RGB or BGR, as the integer operator behind an input stub does.

For looking at what the operator will do. A model is trained on RGB without it; the operator goes
into the finished model, see `qflow.quantization.insert_centered_yuv2rgb`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from qflow.functional._images import as_image, chosen, say
from qflow.quantization.colour_space import Operator, operator

__all__ = ["centered_yuv2bgr", "centered_yuv2rgb"]

_DEFAULT = (128.0,)
_Q_SCALE = 1 / 128


def centered_yuv2rgb(
    input: Tensor,
    swing: str | None = None,
    mean: float | Sequence[float] = _DEFAULT,
    std: float | Sequence[float] = _DEFAULT,
    q_scale: float = _Q_SCALE,
) -> Tensor:
    """(rgb - mean) / std on the int8 grid of step `q_scale`, from centred YUV [..., 3, H, W].

    `input` holds whole numbers -128..127. `mean` and `std` are those of the training, one or three
    in the order of the result; `q_scale` is the trained scale of the input stub. Their defaults are
    the field's and fit few models: QF291 is logged once where all three are left at them. The
    weights have the int8 steps of the operator. Raises QF293.
    """
    return _back(input, "centered_yuv2rgb", "rgb", swing, mean, std, q_scale)


def centered_yuv2bgr(
    input: Tensor,
    swing: str | None = None,
    mean: float | Sequence[float] = _DEFAULT,
    std: float | Sequence[float] = _DEFAULT,
    q_scale: float = _Q_SCALE,
) -> Tensor:
    """As `centered_yuv2rgb`, blue first."""
    return _back(input, "centered_yuv2bgr", "bgr", swing, mean, std, q_scale)


def _back(
    input: Tensor,
    function: str,
    order: str,
    swing: str | None,
    mean: float | Sequence[float],
    std: float | Sequence[float],
    q_scale: float,
) -> Tensor:
    image = as_image(input, function)
    if (mean, std, q_scale) == (_DEFAULT, _DEFAULT, _Q_SCALE):
        say(
            "QF291",
            f"`{function}` has mean 128, std 128 and q_scale 1/128: pass those of the training, "
            "and the trained scale of the input stub",
        )
    made = operator(chosen(swing, function), order, _listed(mean), _listed(std))
    return _on_grid(_convolved(image.double(), made), q_scale).to(image.dtype)


def _listed(values: float | Sequence[float]) -> Sequence[float]:
    return (float(values),) if isinstance(values, (int, float)) else tuple(values)


def _convolved(image: Tensor, made: Operator) -> Tensor:
    scale = torch.tensor(made.scale, dtype=torch.float64, device=image.device)
    weight = torch.tensor(made.weight, dtype=torch.float64, device=image.device)
    bias = torch.tensor(made.bias, dtype=torch.float64, device=image.device)
    steps = (weight / scale[:, None]).round().clamp(-128, 127) * scale[:, None]
    whole = (bias / scale).round() * scale
    return torch.einsum("oc,...chw->...ohw", steps, image) + whole[:, None, None]


def _on_grid(x: Tensor, scale: float) -> Tensor:
    return (x / scale).round().clamp(-128, 127) * scale
