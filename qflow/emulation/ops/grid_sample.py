"""grid_sample: values of an image at places that another tensor gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import same_grid, scale
from qflow.emulation.fixed import BITS, fixed_point
from qflow.emulation.op import Call, Constant, Example, Fast, Op, Range, Unsupported, form
from qflow.emulation.ops import _rescaled
from qflow.emulation.ops._resample import (
    BETWEEN,
    bound,
    dropped,
    fast_dropped,
    fraction_bits,
    ratio,
    unclamped,
)
from qflow.emulation.ops._sampling import sampled
from qflow.emulation.ops._window import argument
from qflow.emulation.profile import constants_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


KNOWN = {"mode": ("bilinear", "nearest"), "padding_mode": ("zeros", "border")}
SHIFTS = (1, 62)
OUTSIDE = 2
"""Places are held so many pixels around the image, where there is nothing but zeros."""


def _example(image: tuple[int, int, int, int], mode: str, padding: str, aligned: bool) -> Example:
    attributes = {"mode": mode, "padding_mode": padding, "align_corners": aligned}
    written = f"F.grid_sample(x, y, {mode!r}, {padding!r}, {aligned})"
    shapes = image, (image[0], 3, 7, 2)
    return Example(shapes, attributes, written=(written,), kinds=("float", "float"))


class GridSample(Op):
    """Attributes: mode, padding_mode, align_corners. Operands: the image, then the places.

    In integers a place g, without its zero point, lies at pixel

        p = ((g * step + half) >> shift) + ((size - 1) << bits - 1),  with `bits` of fraction,

    step * 2^-shift = s_g * size / 2 * 2^bits, or size - 1 for aligned corners; x, then y. The
    nearest pixel is rounded half to even, as torch does.
    """

    name = "grid_sample"
    role = "pool"
    operands = (2, 2)
    functions = ("torch.nn.functional.grid_sample",)
    fields = form(mode="word", padding_mode="word")
    within = BETWEEN
    examples = (
        Example(
            ((2, 3, 5, 6), (2, 4, 4, 2)),
            {"mode": "bilinear", "padding_mode": "zeros", "align_corners": False},
            written=("F.grid_sample(x, y, align_corners=False)",),
            kinds=("float", "unit"),
        ),
        Example(
            ((2, 3, 5, 6), (2, 4, 4, 2)),
            {"mode": "nearest", "padding_mode": "border", "align_corners": True},
            written=("F.grid_sample(x, y, 'nearest', 'border', True)",),
            kinds=("float", "unit"),
        ),
        _example((2, 3, 5, 6), "bilinear", "border", False),
        _example((2, 1, 4, 3), "bilinear", "zeros", True),
        _example((1, 2, 4, 6), "nearest", "zeros", False),
    )
    float_examples = (
        _example((2, 3, 5, 6), "bicubic", "border", True),
        _example((2, 3, 5, 6), "bilinear", "reflection", False),
        _example((2, 3, 5, 6), "bicubic", "reflection", True),
        _example((2, 3, 5, 6), "bicubic", "zeros", False),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {
            "mode": argument(args, kwargs, 2, "mode", "bilinear"),
            "padding_mode": argument(args, kwargs, 3, "padding_mode", "zeros"),
            "align_corners": bool(argument(args, kwargs, 4, "align_corners", None)),
        }

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import grid_sample

        return grid_sample(operands[0], operands[1], **node.attributes)

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        return sampled(operands[0], operands[1], attributes)

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if len(shapes[0]) != 4:
            return f"a tensor {tuple(shapes[0])}: only images of four axes are sampled"
        wrong = [n for n, known in KNOWN.items() if attributes[n] not in known]
        return f"{wrong[0]} = {attributes[wrong[0]]}" if wrong else ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a, image, places = node.attributes, build.operand(node, 0), build.operand(node, 1)
        attributes = {n: a[n] for n in KNOWN}
        shape = self.shape(attributes, [image.shape, places.shape])
        output = build.output_type(node, shape)
        bits = fraction_bits(image.dtype)
        steps = []
        for size in (image.shape[3], image.shape[2]):
            reach = float(scale(places)[0]) * (size - a["align_corners"]) / 2
            steps.append(fixed_point(reach * (1 << bits), *SHIFTS) if reach else (0, SHIFTS[0]))
        constants = {
            role: np.array(values, np.int32)
            for role, values in zip(("step", "step_shift"), zip(*steps, strict=True), strict=True)
        }
        inputs = node.inputs
        if a["mode"] == "nearest":
            inputs = (build.on_grid(node, 0), inputs[1])
        else:
            to_output = ratio(scale(image), scale(output), image.dtype)
            constants |= build.profile.rescale_constants(to_output)
        build.emit(node, "grid_sample", inputs, output, attributes, constants)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        image, places = shapes
        if wrong := [n for n, known in KNOWN.items() if attributes[n] not in known]:
            raise Unsupported(f"{wrong[0]} = {attributes[wrong[0]]}")
        if len(image) != 4 or len(places) != 4 or places[3] != 2 or image[0] != places[0]:
            raise Unsupported(f"places {tuple(places)} in an image {tuple(image)}")
        return (*image[:2], *places[1:3])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        found = {
            "step": Constant(("int32",), ((2,),), low=0, high=(1 << BITS) - 1),
            "step_shift": Constant(("int32",), ((2,),), low=SHIFTS[0], high=SHIFTS[1]),
        }
        if call.node.attributes["mode"] == "bilinear":
            return found | constants_of(call.profile, "rescale", ((1,),))
        if not same_grid(call.sources[0], call.node.output):
            raise Unsupported("its output does not lie on the grid of its image")
        return found

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        if call.node.attributes["mode"] == "bilinear":
            return super().values(unclamped(call), ranges)
        zero = call.zero(0)
        return min(ranges[0][0], zero), max(ranges[0][1], zero)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        image, places = (call.centred(i, x) for i, x in enumerate(operands))
        bits = fraction_bits(call.sources[0].dtype)
        axes = [
            _split(call, places[..., i], size, i, bits)
            for i, size in enumerate((image.shape[3], image.shape[2]))
        ]
        (left, across), (top, down) = axes
        if call.node.attributes["mode"] == "nearest":
            return _pixel(image, left, top) + call.zero_point
        total = np.zeros((*image.shape[:2], *places.shape[1:3]), np.int64)
        for i, vertical in enumerate(((1 << bits) - down, down)):
            for j, horizontal in enumerate(((1 << bits) - across, across)):
                weight = (vertical * horizontal)[:, None]
                total += weight * _pixel(image, left + j, top + i)
        return _rescaled.oracle(unclamped(call), dropped(total, call.sources[0].dtype))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        dtype, zeros = call.sources[0].dtype, (call.zero(0), call.zero(1))
        bits, is_nearest = fraction_bits(dtype), call.node.attributes["mode"] == "nearest"
        border = call.node.attributes["padding_mode"] == "border"
        step, shift = (call.constants[n].tolist() for n in ("step", "step_shift"))

        def split(places: Tensor, size: int, axis: int) -> tuple[Tensor, Tensor]:
            place = (places * step[axis] + (1 << (shift[axis] - 1))) >> shift[axis]
            place += ((size - 1) << bits) >> 1
            around = 0 if border else OUTSIDE
            place.clamp_(-around << bits, (size - 1 + around) << bits)
            if not is_nearest:
                return place >> bits, place & ((1 << bits) - 1)
            # half to even: one half and the whole part's last bit, less the smallest fraction
            half = (1 << (bits - 1)) - 1
            return (place + half + ((place >> bits) & 1)) >> bits, place

        def pixel(image: Tensor, column: Tensor, row: Tensor) -> Tensor:
            height, width = image.shape[2:]
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            place = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
            index = place.flatten(1)[:, None].expand(-1, image.shape[1], -1)
            found = image.flatten(2).gather(2, index).unflatten(2, place.shape[1:])
            return found * inside[:, None]

        most = bound(_rescaled.reach(call, ranges), dtype)

        def weighed(image: Tensor, places: Tensor) -> Tensor:
            (left, across), (top, down) = (
                split(places[..., i], size, i)
                for i, size in enumerate((image.shape[3], image.shape[2]))
            )
            if is_nearest:
                return pixel(image, left, top) + call.zero_point
            total = torch.zeros((), dtype=torch.float64, device=image.device)
            for i, vertical in enumerate(((1 << bits) - down, down)):
                for j, horizontal in enumerate(((1 << bits) - across, across)):
                    weight = (vertical * horizontal)[:, None]
                    total = total + pixel(image, left + j, top + i) * weight
            return end(fast_dropped(total, dtype))

        end = (
            (lambda total: total)
            if is_nearest
            else _rescaled.finish(unclamped(call), int(dropped(np.array(most), dtype)), device)
        )
        return Fast(
            lambda x, places: weighed(x.double() - zeros[0], places.long() - zeros[1]),
            "float64",
            most,
        )


def _split(
    call: Call, places: np.ndarray, size: int, axis: int, bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """The pixel before each place and the fraction behind it; the nearest pixel and 0."""
    step, shift = (int(call.constants[n][axis]) for n in ("step", "step_shift"))
    place = (places * step + (1 << (shift - 1))) >> shift
    place = place + (((size - 1) << bits) >> 1)
    around = 0 if call.node.attributes["padding_mode"] == "border" else OUTSIDE
    place = np.clip(place, -around << bits, (size - 1 + around) << bits)
    whole, rest, half = place >> bits, place & ((1 << bits) - 1), 1 << (bits - 1)
    if call.node.attributes["mode"] == "bilinear":
        return whole, rest
    up = (rest > half) | ((rest == half) & (whole % 2 == 1))
    return whole + up, np.zeros_like(rest)


def _pixel(image: np.ndarray, column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Centred pixels of every channel, 0 outside of the image."""
    height, width = image.shape[2:]
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    rows, columns = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
    batch = np.arange(len(image))[:, None, None]
    return np.moveaxis(image[batch, :, rows, columns], -1, 1) * inside[:, None]
