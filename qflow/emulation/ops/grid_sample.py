"""grid_sample: values of an image at places that another tensor gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class GridSample(Op):
    """Attributes: mode, padding_mode, align_corners. Operands: the image, then the places."""

    name = "grid_sample"
    role = "pool"
    integer = False
    operands = (2, 2)
    functions = ("torch.nn.functional.grid_sample",)
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
