"""upsample: RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR, on the grid of the operand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import Builder, same_grid
from qflow.emulation.op import Call, Constant, Fast, Range, Unsupported
from qflow.emulation.ops import upsample
from qflow.emulation.ops._resize import nearest
from qflow.emulation.ops.upsample import NEAREST
from qflow.emulation.own.tflite import _pinned

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode

FRACTION = 10
"""Bits of a place within a pixel."""


class Upsample(upsample.Upsample):
    """In between, with fractions u and v of 10 bits and the integers q as they are:

        y = half_away(2^-20 * sum of q * (u or 2^10 - u) * (v or 2^10 - v))

    Places are those of `places`. The output lies on the grid of the operand; where the model has
    another one, a rescale follows. Places follow from the sizes alone: TFLite knows no factors.
    Source: `ResizeBilinearInteger` of LiteRT, measured.
    """

    keeps_type = True

    def fraction(self, dtype: str) -> int:
        """Bits of a place within a pixel."""
        return FRACTION

    def nearest(self, mode: str, size: int, count: int, dtype: str) -> np.ndarray:
        """The pixel that each place takes, int64 [count]."""
        return nearest(mode, size, count, None)

    def places(self, size: int, count: int, aligned: bool, dtype: str) -> tuple[Any, Any]:
        """The pixel before each place, and how far behind it the place is, both int64 [count].

        A step of (size << 10) / count, or of one less of each if `aligned`, is rounded half up
        before it is multiplied; the middle of the first pixel is at half of it.
        """
        reduced = int(aligned and count > 1)
        step = (((size - reduced) << FRACTION) + (count - reduced) // 2) // (count - reduced)
        place = np.arange(count, dtype=np.int64) * step
        if not aligned:
            place = place + step // 2 - (1 << (FRACTION - 1))
        place = np.clip(place, 0, (size - 1) << FRACTION)
        return place >> FRACTION, place & ((1 << FRACTION) - 1)

    def rounded(self, total: np.ndarray, dtype: str) -> np.ndarray:
        """A sum without its fraction."""
        half = 1 << (2 * FRACTION - 1)
        return np.sign(total) * ((np.abs(total) + half) >> (2 * FRACTION))

    def fast_rounded(self, total: Tensor, dtype: str) -> Tensor:
        """The same of float64 integers."""
        import torch

        away = total.abs().mul_(2.0 ** (-2 * FRACTION)).add_(0.5).floor_()
        return torch.copysign(away, total)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a, source = node.attributes, build.operand(node, 0)
        axes = upsample._axes(a, source.shape)
        attributes = {"mode": a["mode"], "size": tuple(count for _, count, _ in axes)}
        output = build.output_type(node, self.shape(attributes, [source.shape]))
        if source.dtype == "uint8":
            raise Unsupported("TFLite resizes uint8 in floats")
        constants: dict[str, np.ndarray] = {}
        for role, (size, count, _) in zip(("row", "column"), axes, strict=True):
            if a["mode"] in NEAREST:
                picked = self.nearest(a["mode"], size, count, source.dtype)
                constants[role] = picked.astype(np.int32)
                continue
            before, behind = self.places(size, count, a["align_corners"], source.dtype)
            constants |= {role: before.astype(np.int32), f"{role}_weight": behind.astype(np.int32)}
        _pinned.emit(node, build, output, source, attributes, constants, clamped=False)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        source, sizes = call.sources[0], call.node.attributes["size"]
        if not same_grid(source, call.node.output):
            raise Unsupported("its output does not lie on the grid of its operand")
        image = source.shape[1:3] if source.layout == "nhwc" else source.shape[-2:]
        found, one = {}, 1 << self.fraction(source.dtype)
        for role, count, size in zip(("row", "column"), sizes, image, strict=True):
            found[role] = Constant(("int32",), ((count,),), low=0, high=size - 1)
            if call.node.attributes["mode"] not in NEAREST:
                found[f"{role}_weight"] = Constant(("int32",), ((count,),), low=0, high=one)
        return found

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return ranges[0]

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if call.node.attributes["mode"] in NEAREST:
            return super().oracle(call, *operands)
        row, column, down, across = (
            call.constants[r].astype(np.int64)
            for r in ("row", "column", "row_weight", "column_weight")
        )
        image, dtype = operands[0].astype(np.int64), call.sources[0].dtype
        one = 1 << self.fraction(dtype)
        below = np.minimum(row + 1, image.shape[2] - 1)
        strips = image[:, :, row] * (one - down)[:, None] + image[:, :, below] * down[:, None]
        behind = np.minimum(column + 1, image.shape[3] - 1)
        return self.rounded(
            strips[..., column] * (one - across) + strips[..., behind] * across, dtype
        )

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if call.node.attributes["mode"] in NEAREST:
            return super().fast(call, ranges, device)
        import torch

        row, column, below, right = (
            torch.from_numpy(call.constants[r].astype(np.int64)).to(device)
            for r in ("row", "column", "row_weight", "column_weight")
        )
        dtype = call.sources[0].dtype
        one = float(1 << self.fraction(dtype))
        down, across = below.double()[:, None], right.double()

        def run(x: Tensor) -> Tensor:
            image = x.double()
            first = image.index_select(2, row)
            second = image.index_select(2, (row + 1).clamp(max=image.shape[2] - 1))
            strips = (first * one).addcmul_(second.sub_(first), down)
            first = strips.index_select(3, column)
            second = strips.index_select(3, (column + 1).clamp(max=image.shape[3] - 1))
            total = (first * one).addcmul_(second.sub_(first), across)
            return self.fast_rounded(total, dtype).float()

        most = max(map(abs, ranges[0])) << (2 * self.fraction(dtype))
        return Fast(run, "float64", most)
