"""softmax of int8: exponents with 5 integer bits, their sum with 12, one reciprocal per row.

Source: `Softmax` of TFLite's reference kernels on gemmlowp's fixed point, measured under every
resolver of LiteRT.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.op import Constant
from qflow.emulation.own.tflite import _fixed_point as fixed
from qflow.emulation.profile import Constants
from qflow.emulation.profiles._high_multiply import BITS
from qflow.emulation.profiles.tflite_reference import TfliteReference

if TYPE_CHECKING:
    from torch import Tensor

WORD, INPUT_BITS, SUM_BITS = 32, 5, 12
DIFFERENCES = 256
LOWEST, HIGHEST = -128, 127
WIDTH = 8
ROLES: Mapping[str, Constant] = {
    "multiplier": Constant(("int32",), ((1,),), low=0),
    "shift": Constant(("int32",), ((1,),), low=0, high=BITS),
}


def constants(step: float) -> dict[str, np.ndarray]:
    """Multiplier and left shift of s_x * 2^26, which is cut at 2^31 - 1."""
    ratio = min(step * (1 << (WORD - 1 - INPUT_BITS)), float((1 << 31) - 1))
    multiplier, shift = TfliteReference().derive(np.array([ratio]))
    left = np.clip(BITS - shift, 0, BITS)
    return {"multiplier": multiplier.astype(np.int32), "shift": left.astype(np.int32)}


def exponents(difference: np.ndarray, constants: Constants) -> np.ndarray:
    """exp of differences <= 0, no integer bits; 0 where they leave the 5 bits of the input."""
    left = int(constants["shift"][0])
    least = -((((1 << INPUT_BITS) - 1) << (WORD - 1 - INPUT_BITS)) >> left)
    raised = fixed.held(difference.astype(np.int64) << left, WORD)
    scaled = fixed.times(raised, constants["multiplier"].astype(np.int64), WORD)
    found = fixed.exp_of_negative(np.minimum(scaled, 0), INPUT_BITS, WORD)
    return np.where(difference >= least, found, 0)


def shares(difference: np.ndarray, constants: Constants) -> np.ndarray:
    found = exponents(difference, constants)
    total = fixed.divided(found, SUM_BITS).sum(axis=-1, keepdims=True)
    reciprocal, shift = _reciprocal(total)
    product = fixed.times(reciprocal, found, WORD)
    half = (np.int64(1) << shift) >> 1
    rounded = (product + half) >> shift  # nothing is below 0
    return np.where(found > 0, np.clip(rounded + LOWEST, LOWEST, HIGHEST), LOWEST)


def fast_shares(found: Tensor, distance: Tensor, constants: Constants) -> Tensor:
    """The same of exponents, in torch."""
    import torch

    total = ((found + (1 << (SUM_BITS - 1))) >> SUM_BITS).sum(-1, keepdim=True)
    reciprocal, shift = _reciprocal(total.cpu().numpy())
    factor = torch.from_numpy(reciprocal).to(found.device)
    right = torch.from_numpy(shift).to(found.device)
    product = (found * factor + (1 << (WORD - 2))) >> (WORD - 1)
    rounded = (product + ((torch.ones_like(right) << right) >> 1)) >> right
    return (rounded + LOWEST).clamp_(LOWEST, HIGHEST)


def _reciprocal(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 / total with no integer bits, and the shift that brings shares to 8 bits."""
    positive = np.maximum(total, 1)  # a sum of 0 is in damaged files only
    headroom = np.maximum(WORD - np.frexp(positive.astype(np.float64))[1].astype(np.int64), 0)
    rest = (positive << headroom) - (np.int64(1) << (WORD - 1))
    found = fixed.one_over_one_plus(rest, WORD)
    return found, np.maximum(SUM_BITS - headroom + WORD - 1 - WIDTH, 0)
