"""mean: of CV18xx along any axes; the sum, one multiplier of 8 bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Fast, Range, Unsupported, form
from qflow.emulation.ops.mean import Mean as General
from qflow.emulation.own.sophgo_q31 import _pool

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Mean(_pool.Pool, General):
    """Attributes: dims, keepdim, low, high."""

    fields = form(dims="axes", keepdim="flag", low="integer", high="integer")

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return "a mean over the batch: it must stay free" if 0 in attributes["dims"] else ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source, dims = build.operand(node, 0).shape, tuple(node.attributes["dims"])
        attributes = {"dims": dims, "keepdim": bool(node.attributes["keepdim"])}
        taps = prod(source[d] for d in dims)
        _pool.emit(node, build, self.shape(attributes, [source]), taps, attributes)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        dims = set(attributes["dims"])
        if 0 in dims or not dims or max(dims) >= len(shapes[0]):
            raise Unsupported(f"dims = {attributes['dims']} are no axes behind the batch")
        kept = 1 if attributes["keepdim"] else 0
        sizes = [(n, d in dims) for d, n in enumerate(shapes[0])]
        return tuple(1 if gone else n for n, gone in sizes if not gone or kept)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        return self.average(
            call, operands[0].astype(np.int64).sum(a["dims"], keepdims=a["keepdim"])
        )

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a = call.node.attributes
        return _pool.summed(self, call, ranges, device, a["dims"], a["keepdim"])
