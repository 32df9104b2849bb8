"""A rescale to 8 bits in float32, where it is proved equal to the profile's rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.carriers.affine import affine
from qflow.emulation.carriers.levels import MOST_LEVELS, levels
from qflow.emulation.gemm import FLOAT32_BITS
from qflow.emulation.op import BYTES, Call

if TYPE_CHECKING:
    from torch import Tensor


def narrow(call: Call, bound: int, device: Any) -> Callable[[Tensor], Tensor] | None:
    """Values of magnitude `bound` at most to outputs in their own dtype, zero point and clamp done.

    Takes float32 or what float32 holds; the result is new. None where it is not proved: wide
    outputs, wide values, several channels, rules no product and sum in float32 follow.
    """
    import torch

    output, attributes = call.node.output, call.node.attributes
    low, high = attributes["low"], attributes["high"]
    on_grid = output.dtype in BYTES and 0 <= high - low < MOST_LEVELS
    if device.type != "cpu" or not on_grid or bound >= 1 << FLOAT32_BITS:
        return None
    roles = call.profile.roles("rescale")
    constants = {r: call.constants[r].reshape(1, 1) for r in roles if call.constants[r].size == 1}
    if len(constants) != len(roles):
        return None

    def rule(values: np.ndarray) -> np.ndarray:
        return call.profile.rescale(values, constants) + call.zero_point

    most = np.array([bound], np.int64)
    steps = levels(rule, -most, most, low, high)
    # a negative multiplier, which only some targets have, makes a rule that falls
    found = affine(steps, np.zeros(1, np.int64))
    if steps.slope[0] < 0 or not found.proved[0]:
        return None
    scale, offset = float(found.scale[0]), torch.tensor(found.offset[0])
    dtype = getattr(torch, output.dtype)

    def run(values: Tensor) -> Tensor:
        # in one step, whether it is rounded once or twice: both are proved
        moved = offset.add(values.float(), alpha=scale)
        return moved.round_().clamp_(low, high).to(dtype)

    return run
