"""upsample: on CV18xx a depthwise product: copies of each value, or weights 1, 3, 3, 1 between two.

Bilinear by 2 pads the edge by one, and spreads with a kernel of four by four at stride 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import op
from qflow.emulation.ops.upsample import Upsample as General

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

BETWEEN = np.array([1.0, 3.0, 3.0, 1.0], np.float32) / 4
"""Weights of the four places that a value reaches at half a pixel, factor 2."""
EDGE = 1
CROPPED = 3
"""What is dropped on each side: the reach of the padded edge beyond the image."""


class Upsample(General):
    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        factors = _factors(attributes, shapes[0]) if len(shapes[0]) == 4 else None
        if factors is None:
            return "only images by whole factors are a product on CV18xx"
        if attributes["mode"] == "nearest":
            return ""
        known = attributes["mode"] == "bilinear" and not attributes["align_corners"]
        if known and factors == (2, 2):
            return ""
        return "bfloat16 or unknown on CV18xx: only bilinear by 2 without aligned corners"

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0).shape
        factors = _factors(node.attributes, source)
        assert factors is not None, "float_only lets only whole factors through"
        channels = source[1]
        if node.attributes["mode"] == "nearest":
            taps, cropped = np.ones(factors, np.float32), 0
        else:
            node = _padded(node, build)
            taps, cropped = np.outer(BETWEEN, BETWEEN).astype(np.float32), CROPPED
        attributes = {
            "kernel": taps.shape,
            "stride": factors,
            "dilation": (1, 1),
            "padding": (cropped,) * 4,
            "output_padding": (0, 0),
            "groups": channels,
        }
        weight = np.broadcast_to(taps, (channels, 1, *taps.shape)).copy()
        spread = replace(
            node, op="conv_transpose2d", attributes=attributes, weight=weight, bias=None
        )
        op("conv_transpose2d", build.profile.own).lower(spread, build)


def _factors(attributes: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Whole factors of rows and columns; None where they are none."""
    if attributes["size"] is not None:
        sizes = attributes["size"] * (2 if len(attributes["size"]) == 1 else 1)
        found = [n / m for n, m in zip(sizes, shape[2:], strict=True)]
    else:
        found = list(attributes["factor"]) * (2 if len(attributes["factor"]) == 1 else 1)
    if not all(f == int(f) and f >= 1 for f in found):
        return None
    return int(found[0]), int(found[1])


def _padded(node: PreparedNode, build: Builder) -> PreparedNode:
    """The node behind a pad of its operand with the values at its edge."""
    grid = node.input_grids[0]
    assert grid is not None, "settling gives every operand of an integer operator its grid"
    sides = (EDGE,) * 4
    pad = replace(
        node,
        id=f"{node.id}.pad",
        op="pad",
        attributes={"sides": sides, "mode": "replicate", "value": 0.0},
        grid=grid,
        out_dtype=grid.dtype.name,
    )
    op("pad", build.profile.own).lower(pad, build)
    return replace(node, inputs=(pad.id,))
