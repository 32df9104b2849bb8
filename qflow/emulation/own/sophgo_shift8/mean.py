"""mean: of BM1684 over rows and columns; other axes are float32 there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Fast, Range, form
from qflow.emulation.ops.mean import Mean as General
from qflow.emulation.own.sophgo_shift8 import _mean, _pool

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

IMAGE_AXES = (2, 3)


class Mean(_pool.Pool, General):
    """Attributes: keepdim, low, high."""

    fields = form(keepdim="flag", low="integer", high="integer")

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if len(shapes[0]) != 4 or tuple(attributes["dims"]) != IMAGE_AXES:
            return "a mean that is not over rows and columns: float32 on BM1684"
        return ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0).shape
        attributes = {"keepdim": bool(node.attributes["keepdim"])}
        shape = self.shape(attributes, [source])
        _pool.emit(node, build, shape, _mean.taps(source), attributes)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        kept = (1, 1) if attributes["keepdim"] else ()
        return (*shapes[0][:2], *kept)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _mean.oracle(self, call, operands[0], call.node.attributes["keepdim"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _mean.fast(self, call, ranges, device, call.node.attributes["keepdim"])
