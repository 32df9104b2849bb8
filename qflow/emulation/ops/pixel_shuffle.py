"""pixel_shuffle: channels laid out as rows and columns of a larger image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class PixelShuffle(Op):
    """Attribute: factor, of rows and of columns."""

    name = "pixel_shuffle"
    role = "shape"
    integer = False
    shares_scale = True
    modules = ("torch.nn.PixelShuffle",)
    functions = ("torch.pixel_shuffle", "torch.nn.functional.pixel_shuffle")
    examples = (
        Example(
            ((2, 8, 3, 4),), {"factor": 2}, written=("F.pixel_shuffle(x, 2)", "nn.PixelShuffle(2)")
        ),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        return {"factor": int(module.upscale_factor)}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {"factor": int(argument(args, kwargs, 1, "upscale_factor", 1))}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import pixel_shuffle

        return pixel_shuffle(operands[0], node.attributes["factor"])
