"""sub: SUB of two rescaled operands; the general operator rescales the second one negated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.gemm import centred_ranges, reach
from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.ops import sub
from qflow.emulation.profile import Constants, Limits

if TYPE_CHECKING:
    from torch import Tensor

SIDES = ("left_", "right_")


class Sub(sub.Sub):
    """`y = apply_scale_32(apply_scale_32(a, left) - apply_scale_32(b, right)) + zp_y`.

    A rescale that rounds half up is not that of the negated value negated, on ties. Source: SUB of
    the TOSA specification between three RESCALEs, as TFLite's models become them.
    """

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        terms = [call.centred(i, x) for i, x in enumerate(operands)]
        if len(terms) == 1:
            terms.append(call.constants["scalar"].astype(np.int64))
        fine = [
            sign * call.profile.rescale(x, _of(call.constants, side))
            for sign, x, side in zip(self.signs(call), terms, SIDES, strict=True)
        ]
        total = call.profile.rescale(fine[0] + fine[1], call.constants) + call.zero_point
        return np.clip(total, call.node.attributes["low"], call.node.attributes["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        from qflow.emulation.integer_profile import IntegerProfile
        from qflow.emulation.runtimes._blocks import blockwise

        rule, a, zero = call.profile, call.node.attributes, call.zero_point
        assert isinstance(rule, IntegerProfile), "the profiles of TOSA have multipliers"
        bounds = [reach(r) for r in centred_ranges(call, ranges)]
        addend: Tensor | None = None
        if len(bounds) == 1:
            addend = torch.from_numpy(call.constants["scalar"].astype(np.float64)).to(device)
            bounds.append(int(abs(call.constants["scalar"][0])))
        fine = [
            rule.fast_term(side, call.constants, bound, device)
            for side, bound in zip(SIDES, bounds, strict=True)
        ]
        total = sum(
            rule.term_bound(side, call.constants, bound)
            for side, bound in zip(SIDES, bounds, strict=True)
        )
        limits = Limits(total, a["low"] - zero, a["high"] - zero)
        finish = rule.fast_rescale(_of(call.constants, ""), limits, device)
        zeros = [call.zero(i) for i in range(len(call.sources))]
        signs = self.signs(call)

        def taken(*operands: Tensor) -> Tensor:
            terms = [x.double() - z for x, z in zip(operands, zeros, strict=True)]
            terms = [*terms, addend.expand_as(terms[0])] if addend is not None else terms
            left, right = (rescale(x) for rescale, x in zip(fine, terms, strict=True))
            found = finish(left - right if signs[0] > 0 else right - left)
            return found + zero if zero else found

        run = blockwise(taken)
        return Fast(lambda *operands: run(*torch.broadcast_tensors(*operands)))


def _of(constants: Constants, side: str) -> dict[str, np.ndarray]:
    return {role: constants[side + role] for role in ("multiplier", "shift")}
