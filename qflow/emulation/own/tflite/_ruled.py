"""An operator of `ops/` under a rule of its own: everything but the rescale stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Op, Range, Unsupported
from qflow.emulation.own.tflite._rules import WIDE_BITS
from qflow.emulation.profile import Profile

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Ruled(Op):
    """Comes before the operator's class among the bases, and runs it with the profile `rule`."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        """The rule for operands and an output of these dtypes; None: that of the profile."""
        raise NotImplementedError

    def rule_of(self, call: Call) -> Profile | None:
        """The same of a node that runs, where the rule depends on shapes or zero points."""
        node = call.node
        reads = tuple(s.dtype for s in call.sources)
        return self.rule(call.profile, reads, node.output.dtype, node.attributes)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        reads = tuple(build.types[i].dtype for i in node.inputs)
        attributes = {**node.attributes, "residual": node.residual}
        rule = self.rule(build.profile, reads, node.out_dtype, attributes)
        if rule is None:
            super().lower(node, build)
            return
        march = build.march
        if node.out_dtype == "int16":
            march = replace(march, accumulator_bits=WIDE_BITS)
        super().lower(node, replace(build, profile=rule, march=march))

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return super().roles(self._under(call))

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return super().oracle(self._under(call), *operands)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return super().fast(self._under(call), ranges, device)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return super().values(self._under(call), ranges)

    def ruled_by(self, call: Call) -> Profile:
        return self._under(call).profile

    def _under(self, call: Call) -> Call:
        rule = self.rule_of(call)
        return call if rule is None else replace(call, profile=rule)


def count_along(call: Call) -> int:
    """How many values each result is made of. Raises Unsupported for axes that are not there."""
    shape, dims = call.sources[0].shape, call.node.attributes["dims"]
    if any(d >= len(shape) for d in dims):
        raise Unsupported(f"axes {dims} of a tensor {shape}")
    return prod(shape[d] for d in dims)
