"""pixel_shuffle: channels laid out as rows and columns of a larger image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving
from qflow.emulation.ops._window import argument, image

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


class PixelShuffle(Moving):
    """Attribute: factor, of rows and of columns."""

    name = "pixel_shuffle"
    fields = form(factor="count")
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

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        batch, channels, rows, columns = image(shapes[0])
        factor = attributes["factor"]
        if channels % factor**2:
            raise Unsupported(f"{channels} channels are no blocks of {factor} x {factor}")
        return batch, channels // factor**2, rows * factor, columns * factor

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        f = attributes["factor"]
        batch, channels, rows, columns = x.shape
        blocks = x.reshape(batch, channels // f**2, f, f, rows, columns)
        spread = blocks.transpose(0, 1, 4, 2, 5, 3)
        return spread.reshape(batch, channels // f**2, rows * f, columns * f)

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        from torch.nn.functional import pixel_shuffle

        return pixel_shuffle(x, attributes["factor"])
