"""colour_space: the numbers of the field's colour conversions, BT.601, free of torch.

A swing is `full` (every channel 0..255) or `studio` (Y 16..235, U and V 16..240). Centred means 128
less on every channel. Numbers are those the field's documents print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qflow.plan.colour import SWINGS

__all__ = ["BACK", "CENTRE", "FORWARD", "OFFSETS", "SWINGS", "Operator", "operator"]

CENTRE = 128

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]

FORWARD: Mapping[str, Matrix] = {
    "full": ((77, 150, 29), (-43, -84, 127), (127, -106, -21)),
    "studio": ((66, 129, 25), (-38, -74, 112), (112, -94, -18)),
}
"""(W . rgb + 128) / 256 + offset, truncated: rows Y, U, V, columns R, G, B."""
OFFSETS: Mapping[str, Triple] = {"full": (0, 128, 128), "studio": (16, 128, 128)}

BACK: Mapping[str, Matrix] = {
    "full": ((1.0, 0.0, 1.402), (1.0, -0.3441, -0.7141), (1.0, 1.772, 0.0)),
    "studio": ((1.164, 0.0, 1.596), (1.164, -0.392, -0.812), (1.164, 2.016, 0.0)),
}
"""From centred YUV: rows R, G, B, columns Y, U, V."""
BACK_OFFSET: Mapping[str, float] = {"full": 128.0, "studio": 112 * 1.164}
"""What every row of it adds."""
BACK_SCALES: Mapping[str, Triple] = {
    "full": (0.0110, 0.0078, 0.0139),
    "studio": (0.0125, 0.0091, 0.0158),
}
"""Step of the operator's int8 weights per row, before `std` divides it. As printed: the largest
weight of a row may lie just outside of 127 steps, and saturates."""


@dataclass(frozen=True)
class Operator:
    """The integer operator as a 1x1 convolution of centred YUV, [3 outputs, 3 inputs]."""

    weight: tuple[Triple, ...]
    bias: Triple
    scale: Triple
    """Step of the weights per output."""


def operator(swing: str, order: str, mean: Sequence[float], std: Sequence[float]) -> Operator:
    """Centred YUV to (rgb - mean) / std; `mean` and `std` in the order of the outputs, 1 or 3."""
    means, stds = _three(mean), _three(std)
    rows = (0, 1, 2) if order == "rgb" else (2, 1, 0)
    offset = BACK_OFFSET[swing]
    weight = [[w / s for w in BACK[swing][r]] for r, s in zip(rows, stds, strict=True)]
    bias = [(offset - m) / s for m, s in zip(means, stds, strict=True)]
    scale = [BACK_SCALES[swing][r] / s for r, s in zip(rows, stds, strict=True)]
    return Operator(tuple(map(_triple, weight)), _triple(bias), _triple(scale))


def _triple(values: Sequence[float]) -> Triple:
    return values[0], values[1], values[2]


def _three(values: Sequence[float]) -> Sequence[float]:
    return values if len(values) == 3 else (values[0],) * 3
