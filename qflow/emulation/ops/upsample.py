"""upsample: an image resized, to the nearest value or in between."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import same_grid, scale
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
from qflow.emulation.ops._resize import linear, nearest, weights
from qflow.emulation.ops._window import argument
from qflow.emulation.profile import constants_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

MODES = ("nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area")
NEAREST, BILINEAR = ("nearest", "nearest-exact"), "bilinear"
_ALIGNED = ("linear", "bilinear", "trilinear", "bicubic")
_IMAGE = ((2, 3, 4, 5),)


def _example(
    mode: str,
    size: tuple[int, int] | None,
    factor: tuple[float, ...] | None = None,
    written: tuple[str, ...] = (),
) -> Example:
    attributes = {
        "size": size,
        "factor": factor,
        "mode": mode,
        "align_corners": False,
        "recompute": False,
    }
    return Example(_IMAGE, attributes, written=written)


class Upsample(Op):
    """Attributes: size or factor (one of them is None), mode, align_corners, recompute.

    `recompute`: the factor is computed again from the sizes, which are whole numbers.

    In integers images only, nearest and bilinear. The constants `row` and `column` say which pixel
    each row and column takes; in between, `row_weight` and `column_weight` are the fractions that
    belong to the pixel behind it.
    """

    name = "upsample"
    role = "pool"
    modules = (
        "torch.nn.Upsample",
        "torch.nn.UpsamplingNearest2d",
        "torch.nn.UpsamplingBilinear2d",
        "qflow.nn.Interpolate",
    )
    functions = (
        "torch.nn.functional.interpolate",
        "torch.nn.functional.upsample",
        "torch.nn.functional.upsample_nearest",
        "torch.nn.functional.upsample_bilinear",
    )
    fields = form(mode="word", size="pair")
    image = True
    within = BETWEEN
    examples = (
        Example(
            _IMAGE,
            {
                "size": None,
                "factor": (2.0,),
                "mode": "nearest",
                "align_corners": False,
                "recompute": False,
            },
            written=("F.interpolate(x, scale_factor=2)", "nn.Upsample(scale_factor=2)"),
        ),
        Example(
            _IMAGE,
            {
                "size": (7, 9),
                "factor": None,
                "mode": "bilinear",
                "align_corners": True,
                "recompute": False,
            },
            written=(
                "F.interpolate(x, (7, 9), mode='bilinear', align_corners=True)",
                "nn.Upsample((7, 9), mode='bilinear', align_corners=True)",
                "nn.UpsamplingBilinear2d((7, 9))",
            ),
        ),
        _example("nearest", (3, 8), written=("F.interpolate(x, (3, 8))",)),
        _example(
            "nearest-exact", (7, 3), written=("F.interpolate(x, (7, 3), mode='nearest-exact')",)
        ),
        _example("bilinear", None, (2.0,), written=("F.interpolate(x, None, 2.0, 'bilinear')",)),
        _example("bilinear", (3, 11), written=("F.interpolate(x, (3, 11), mode='bilinear')",)),
        _example("bilinear", None, (1.7, 0.6), written=()),
    )
    float_examples = (
        _example("bicubic", (7, 3), written=("F.interpolate(x, (7, 3), mode='bicubic')",)),
        _example("area", (2, 3), written=("F.interpolate(x, (2, 3), mode='area')",)),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        return _attributes(
            module.size,
            module.scale_factor,
            module.mode,
            module.align_corners,
            getattr(module, "recompute_scale_factor", None),
        )

    def attributes_of_function(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> Mapping[str, Any]:
        if kwargs.get("antialias"):
            raise Unsupported("antialias = True: only the plain resizing is known")
        size = argument(args, kwargs, 1, "size", None)
        factor = argument(args, kwargs, 2, "scale_factor", None)
        if function in ("upsample_nearest", "upsample_bilinear"):
            mode = function.removeprefix("upsample_")
            return _attributes(size, factor, mode, mode == "bilinear", None)
        mode = argument(args, kwargs, 3, "mode", "nearest")
        aligned = argument(args, kwargs, 4, "align_corners", None)
        return _attributes(
            size, factor, mode, aligned, argument(args, kwargs, 5, "recompute_scale_factor", None)
        )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return self.attributes_of_function("interpolate", args, kwargs, shapes)

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import interpolate

        a = node.attributes
        factor = a["factor"][0] if a["factor"] and len(a["factor"]) == 1 else a["factor"]
        aligned = a["align_corners"] if a["mode"] in _ALIGNED else None
        return interpolate(operands[0], a["size"], factor, a["mode"], aligned, a["recompute"])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        mode, aligned = attributes["mode"], attributes["align_corners"]
        found = operands[0]
        for i, (size, count, factor) in enumerate(_axes(attributes, operands[0].shape)):
            matrix = weights(mode, size, count, factor, aligned)
            found = np.moveaxis(np.tensordot(matrix, found, (1, i + 2)), 0, i + 2)
        return found

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if len(shapes[0]) != 4:
            return f"a tensor {tuple(shapes[0])}: only images of four axes are resized"
        known = attributes["mode"] in (*NEAREST, BILINEAR)
        return "" if known else f"mode = {attributes['mode']}: only nearest and bilinear"

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a, source = node.attributes, build.operand(node, 0)
        axes = _axes(a, source.shape)
        attributes = {"mode": a["mode"], "size": tuple(count for _, count, _ in axes)}
        shape = self.shape(attributes, [source.shape])
        if a["mode"] in NEAREST:
            picked = [nearest(a["mode"], *axis).astype(np.int32) for axis in axes]
            constants = dict(zip(("row", "column"), picked, strict=True))
            name = build.on_grid(node, 0)
            build.emit(
                node, "upsample", (name,), build.output_type(node, shape), attributes, constants
            )
            return
        output = build.output_type(node, shape)
        constants = dict(
            build.profile.rescale_constants(ratio(scale(source), scale(output), source.dtype))
        )
        for role, axis in zip(("row", "column"), axes, strict=True):
            before, fraction = linear(*axis, a["align_corners"])
            fixed = np.floor(fraction * (1 << fraction_bits(source.dtype)) + 0.5)
            constants |= {role: before.astype(np.int32), f"{role}_weight": fixed.astype(np.int32)}
        build.emit(node, "upsample", node.inputs, output, attributes, constants)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        if len(shapes[0]) != 4:
            raise Unsupported(f"it reads a tensor {shapes[0]}: an image batch has four axes")
        if attributes["mode"] not in (*NEAREST, BILINEAR):
            raise Unsupported(f"mode = {attributes['mode']}: nearest and bilinear are known")
        return (*shapes[0][:2], *attributes["size"])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        source, sizes = call.sources[0], call.node.attributes["size"]
        image = source.shape[1:3] if source.layout == "nhwc" else source.shape[-2:]
        found = {
            role: Constant(("int32",), ((count,),), low=0, high=size - 1)
            for role, count, size in zip(("row", "column"), sizes, image, strict=True)
        }
        if call.node.attributes["mode"] in NEAREST:
            if not same_grid(source, call.node.output):
                raise Unsupported("its output does not lie on the grid of its operand")
            return found
        one = 1 << fraction_bits(source.dtype)
        for role, count in zip(("row", "column"), sizes, strict=True):
            found[f"{role}_weight"] = Constant(("int32",), ((count,),), low=0, high=one)
        return found | constants_of(call.profile, "rescale", ((1,),))

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        if call.node.attributes["mode"] in NEAREST:
            return ranges[0]
        return super().values(unclamped(call), ranges)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        constants = {k: v.astype(np.int64) for k, v in call.constants.items()}
        row, column = constants["row"], constants["column"]
        if call.node.attributes["mode"] in NEAREST:
            return operands[0][:, :, row][:, :, :, column]
        image = call.centred(0, operands[0])
        one = 1 << fraction_bits(call.sources[0].dtype)
        behind = np.minimum(row + 1, image.shape[2] - 1)
        down = constants["row_weight"][:, None]
        strips = image[:, :, row] * (one - down) + image[:, :, behind] * down
        behind = np.minimum(column + 1, image.shape[3] - 1)
        across = constants["column_weight"]
        total = strips[..., column] * (one - across) + strips[..., behind] * across
        return _rescaled.oracle(unclamped(call), dropped(total, call.sources[0].dtype))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        from qflow.emulation.runtimes._blocks import BLOCK

        constants = {
            k: torch.from_numpy(call.constants[k].astype(np.int64)).to(device)
            for k in ("row", "column", "row_weight", "column_weight")
            if k in call.constants
        }
        row, column = constants["row"], constants["column"]
        if call.node.attributes["mode"] in NEAREST:
            return Fast(lambda x: x.index_select(2, row).index_select(3, column))
        dtype, zero = call.sources[0].dtype, call.zero(0)
        most = bound(_rescaled.reach(call, ranges), dtype)
        kept = int(dropped(np.array(most), dtype))
        end = _rescaled.finish(unclamped(call), kept, device)
        one = 1 << fraction_bits(dtype)
        down = constants["row_weight"].double()[:, None]
        across = constants["column_weight"].double()
        height, width = (int(n) for n in call.node.attributes["size"])

        def resized(x: Tensor) -> Tensor:
            """Of planes [count, rows, columns]."""
            image = x.double() - zero
            before, behind = (
                image.index_select(1, i) for i in (row, (row + 1).clamp(max=image.shape[1] - 1))
            )
            strips = (before * one).addcmul_(behind.sub_(before), down)
            before, behind = (
                strips.index_select(2, i)
                for i in (column, (column + 1).clamp(max=image.shape[2] - 1))
            )
            total = (before * one).addcmul_(behind.sub_(before), across)
            return end(fast_dropped(total, dtype))

        def run(x: Tensor) -> Tensor:
            # a few planes at a time: wide temporaries then stay in the cache
            planes = x.flatten(0, 1).split(max(1, BLOCK // (height * width)))
            return torch.cat([resized(p) for p in planes]).unflatten(0, x.shape[:2])

        return Fast(run, "float64", most)


def _axes(
    attributes: Mapping[str, Any], shape: tuple[int, ...]
) -> list[tuple[int, int, float | None]]:
    """Per resized axis its size, the new one, and the factor where that decides on the places."""
    sizes, given = shape[2:], attributes.get("size")
    if given is not None:
        counts = given if len(given) == len(sizes) else given * len(sizes)
        return [(s, c, None) for s, c in zip(sizes, counts, strict=True)]
    factors = attributes.get("factor")
    factors = factors if len(factors) == len(sizes) else factors * len(sizes)
    # torch computes with the sizes alone where it is told to, and where areas are averaged
    exact = attributes["recompute"] or attributes["mode"] == "area"
    return [
        (s, math.floor(s * f), None if exact else f) for s, f in zip(sizes, factors, strict=True)
    ]


def _attributes(
    size: Any, factor: Any, mode: str, aligned: bool | None, recompute: bool | None
) -> Mapping[str, Any]:
    if mode not in MODES:
        raise Unsupported(f"mode = {mode!r}: one of {', '.join(MODES)}")
    return {
        "size": _tuple(size, int),
        "factor": _tuple(factor, float),
        "mode": mode,
        "align_corners": bool(aligned),
        "recompute": bool(recompute),
    }


def _tuple(value: Any, kind: type) -> tuple[Any, ...] | None:
    if value is None:
        return None
    return tuple(map(kind, value if isinstance(value, (tuple, list)) else (value,)))
