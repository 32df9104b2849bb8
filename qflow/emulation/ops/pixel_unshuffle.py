"""pixel_unshuffle: blocks of rows and columns laid out as channels of a smaller image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class PixelUnshuffle(Op):
    """Attribute: factor, of rows and of columns."""

    name = "pixel_unshuffle"
    role = "shape"
    integer = False
    shares_scale = True
    modules = ("torch.nn.PixelUnshuffle",)
    functions = ("torch.pixel_unshuffle", "torch.nn.functional.pixel_unshuffle")
    examples = (
        Example(
            ((2, 3, 4, 6),),
            {"factor": 2},
            written=("F.pixel_unshuffle(x, 2)", "nn.PixelUnshuffle(2)"),
        ),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        return {"factor": int(module.downscale_factor)}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {"factor": int(argument(args, kwargs, 1, "downscale_factor", 1))}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import pixel_unshuffle

        return pixel_unshuffle(operands[0], node.attributes["factor"])
