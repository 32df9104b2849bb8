"""mean: over rows and columns, a pool of the whole image; over other axes it stays float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Range, form
from qflow.emulation.ops import mean as general
from qflow.emulation.own.sophgo._operands import limits, reach
from qflow.emulation.profile import Limits
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.rescale import fast_rescale, multiplier_and_shift, named, rescaled
from qflow.emulation.sophgo.search import Pair, search8

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

ROWS_AND_COLUMNS = (2, 3)


class Mean(general.Mean):
    """Attributes: dims, keepdim, low, high. `sat(RSR(sum * m, r))`, halves up."""

    integer = True
    fields = form(dims="axes", keepdim="flag", low="integer", high="integer")

    def pair(self, ratio: float, area: int) -> Pair:
        """Multiplier and shift of a sum of `area` values; `ratio` is that of the scales."""
        return search8(ratio / area)

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if len(shapes[0]) == 4 and tuple(attributes["dims"]) == ROWS_AND_COLUMNS:
            return ""
        return "only the mean of an image's rows and columns is integer on this target"

    def lower(self, node: PreparedNode, build: Builder) -> None:
        attributes = {k: node.attributes[k] for k in ("dims", "keepdim")}
        emit_mean(self, node, build, attributes)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        dims = attributes["dims"]
        kept = [1 if i in dims else s for i, s in enumerate(shapes[0])]
        if attributes["keepdim"]:
            return tuple(kept)
        return tuple(s for i, s in enumerate(shapes[0]) if i not in dims)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return multiplier_and_shift()

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, c = call.node.attributes, call.constants
        total = operands[0].astype(np.int64).sum(axis=a["dims"], keepdims=a["keepdim"])
        return np.clip(rescaled(total, c["multiplier"], c["shift"], "half_up"), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, c = call.node.attributes, call.constants
        most = reach(ranges[0]) * _area(call)
        clamp = Limits(most, a["low"], a["high"])
        end = fast_rescale(c["multiplier"], c["shift"], "half_up", clamp, device)
        dtype = torch.float32 if most < 1 << 24 else torch.float64

        def run(x: Tensor) -> Tensor:
            return end(x.to(dtype).sum(dim=a["dims"], keepdim=a["keepdim"]))

        return Fast(run, "float32" if most < 1 << 24 else "float64", most)


def emit_mean(op: Mean, node: PreparedNode, build: Builder, attributes: Mapping[str, Any]) -> None:
    """Emit a mean of `node`'s operand."""
    source = build.operand(node, 0).shape
    area = prod(source[d] for d in attributes["dims"])
    pair = op.pair(source_scale(node, 0) / target_scale(node), area)
    output = build.output_type(node, op.shape(attributes, [source]))
    low, high = limits(node, build, output)
    whole = {**attributes, "low": low, "high": high}
    build.emit(node, "mean", node.inputs, output, whole, named(*pair))


def _area(call: Call) -> int:
    return prod(call.sources[0].shape[d] for d in call.node.attributes["dims"])
