"""upsample: RESIZE, whose bilinear sums are exact in steps of 1 / n pixels, and one RESCALE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.op import Call, Constant, Fast, Range
from qflow.emulation.ops import _rescaled, upsample
from qflow.emulation.ops._resample import unclamped
from qflow.emulation.own.tosa._resized import MOST, axis
from qflow.emulation.profile import Ratio, constants_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

WORDS_MOST = 1 << 15
"""Largest product of both n for int16: the sum is an int32, which a RESCALE of 31 bits takes."""


class Upsample(upsample.Upsample):
    """Bilinear: `y = rescale(sum of (n - r) * before + r * behind along both axes)`.

    The constants `row_weight` and `column_weight` are r, and `parts` is n of both axes. Source:
    RESIZE of the TOSA specification. Nearest is as the general operator, and so is what RESIZE
    cannot have: n above 2^11, an enlargement that is no such fraction, int16 beyond int32.
    """

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a, source = node.attributes, build.operand(node, 0)
        sizes = upsample._axes(a, source.shape) if a["mode"] == upsample.BILINEAR else []
        found = [axis(*size, a["align_corners"]) for size in sizes]
        axes = [made for made in found if made is not None]
        parts = int(np.prod([made.parts for made in axes]))
        if len(axes) < 2 or (source.dtype == "int16" and parts > WORDS_MOST):
            super().lower(node, build)
            return
        attributes = {"mode": a["mode"], "size": tuple(count for _, count, _ in sizes)}
        output = build.output_type(node, self.shape(attributes, [source.shape]))
        ratio = Ratio((scale(source),), (scale(output),), factor=1 / parts)
        constants = dict(build.profile.rescale_constants(ratio))
        constants["parts"] = np.array([made.parts for made in axes], np.int32)
        for role, made, (size, count, _) in zip(("row", "column"), axes, sizes, strict=True):
            constants[role], constants[f"{role}_weight"] = made.places(size, count)
        build.emit(node, "upsample", node.inputs, output, attributes, constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        if "parts" not in call.constants:
            return super().roles(call)
        source, sizes = call.sources[0], call.node.attributes["size"]
        image = source.shape[1:3] if source.layout == "nhwc" else source.shape[-2:]
        found = dict(constants_of(call.profile, "rescale", ((1,),)))
        found["parts"] = Constant(("int32",), ((2,),), low=1, high=MOST)
        for role, count, size in zip(("row", "column"), sizes, image, strict=True):
            found[role] = Constant(("int32",), ((count,),), low=0, high=size - 1)
            found[f"{role}_weight"] = Constant(("int32",), ((count,),), low=0, high=MOST)
        return found

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if "parts" not in call.constants:
            return super().oracle(call, *operands)
        constants = {k: v.astype(np.int64) for k, v in call.constants.items()}
        image = call.centred(0, operands[0])
        rows, columns = constants["parts"]
        row, down = constants["row"], constants["row_weight"][:, None]
        behind = np.minimum(row + 1, image.shape[2] - 1)
        strips = image[:, :, row] * (rows - down) + image[:, :, behind] * down
        column, across = constants["column"], constants["column_weight"]
        behind = np.minimum(column + 1, image.shape[3] - 1)
        total = strips[..., column] * (columns - across) + strips[..., behind] * across
        return _rescaled.oracle(unclamped(call), total)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if "parts" not in call.constants:
            return super().fast(call, ranges, device)
        import torch

        constants = {k: v.astype(np.int64) for k, v in call.constants.items()}
        zero, bound = call.zero(0), _rescaled.reach(call, ranges)
        for n, role in zip(constants["parts"], ("row_weight", "column_weight"), strict=True):
            bound *= int((np.abs(n - constants[role]) + constants[role]).max())
        end = _rescaled.finish(unclamped(call), bound, device)
        rows, columns = (int(n) for n in constants["parts"])
        row, down, column, across = (
            torch.from_numpy(constants[role]).to(device)
            for role in ("row", "row_weight", "column", "column_weight")
        )
        down, across = down.double()[:, None], across.double()

        def run(x: Tensor) -> Tensor:
            image = x.double() - zero
            behind = (row + 1).clamp(max=image.shape[2] - 1)
            strips = image.index_select(2, row) * (rows - down)
            strips.addcmul_(image.index_select(2, behind), down)
            behind = (column + 1).clamp(max=image.shape[3] - 1)
            total = strips.index_select(3, column) * (columns - across)
            return end(total.addcmul_(strips.index_select(3, behind), across))

        return Fast(run, "float64", bound)
