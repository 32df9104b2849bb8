"""upsample: an image resized, to the nearest value or in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode

MODES = ("nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area")
_ALIGNED = ("linear", "bilinear", "trilinear", "bicubic")
_IMAGE = ((2, 3, 4, 5),)


class Upsample(Op):
    """Attributes: size or factor (one of them is None), mode, align_corners, recompute.

    `recompute`: the factor is computed again from the sizes, which are whole numbers.
    """

    name = "upsample"
    role = "pool"
    integer = False
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
