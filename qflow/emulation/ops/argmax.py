"""argmax: where the largest value along an axis is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import EXACT, Call, Example, Fast, Op, Range, form
from qflow.emulation.ops import _places
from qflow.emulation.ops._along import one_number, without
from qflow.emulation.ops._window import argument
from qflow.emulation.steps.input import WHOLE

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Argmax(Op):
    """Attributes: dim (None: over all values), keepdim. Of equal values the first counts.

    In integers also largest: it stands for the places of `min` as well.
    """

    name = "argmax"
    role = "pool"
    fields = form(dim="axis", keepdim="flag", largest="flag")
    within = EXACT
    writes = ("int32",)
    gives_indices = True
    functions = ("torch.argmax", "torch.Tensor.argmax")
    examples = (
        Example(
            ((2, 3, 4),),
            {"dim": 1, "keepdim": False},
            written=("torch.argmax(x, 1)", "x.argmax(dim=-2)"),
        ),
    )
    float_examples = (Example(((2, 3),), {"dim": None, "keepdim": False}, written=("x.argmax()",)),)

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        dim = argument(args, kwargs, 1, "dim", None)
        keepdim = argument(args, kwargs, 2, "keepdim", False)
        return {"dim": None if dim is None else dim % len(shapes[0]), "keepdim": bool(keepdim)}

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if attributes["dim"] is None:
            return "it searches the values of all samples: give it an axis"
        return one_number((attributes["dim"],), attributes["keepdim"], shapes[0])

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].argmax(node.attributes["dim"], node.attributes["keepdim"])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        a = attributes
        return _places.places(operands[0], a["dim"], a["keepdim"], a.get("largest", True))

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a = node.attributes
        _places.emit(node, build, a["dim"], a["keepdim"], True, node.id)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return without(tuple(shapes[0]), (attributes["dim"],), attributes["keepdim"])

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return 0, WHOLE[1]

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        return _places.places(operands[0], a["dim"], a["keepdim"], a["largest"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a = call.node.attributes
        return Fast(lambda x: _places.fast_places(x, a["dim"], a["keepdim"], a["largest"]))
