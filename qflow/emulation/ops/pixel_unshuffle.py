"""pixel_unshuffle: blocks of rows and columns laid out as channels of a smaller image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving
from qflow.emulation.ops._window import argument, image

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


class PixelUnshuffle(Moving):
    """Attribute: factor, of rows and of columns."""

    name = "pixel_unshuffle"
    fields = form(factor="count")
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

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        batch, channels, rows, columns = image(shapes[0])
        factor = attributes["factor"]
        if rows % factor or columns % factor:
            raise Unsupported(f"an image {rows} x {columns} is no blocks of {factor} x {factor}")
        return batch, channels * factor**2, rows // factor, columns // factor

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        f = attributes["factor"]
        batch, channels, rows, columns = x.shape
        blocks = x.reshape(batch, channels, rows // f, f, columns // f, f)
        gathered = blocks.transpose(0, 1, 3, 5, 2, 4)
        return gathered.reshape(batch, channels * f**2, rows // f, columns // f)

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        from torch.nn.functional import pixel_unshuffle

        return pixel_unshuffle(x, attributes["factor"])
