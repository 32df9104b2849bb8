"""softmax of int16: tables of exp on [-10, 0] and of 1 / (1 + x) on [0, 1], 513 entries each.

The first is made in float32; of the second only one made in float64 is what LiteRT computes with.

Source: `SoftmaxInt16` of TFLite, measured under every resolver of LiteRT.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.op import Constant
from qflow.emulation.ops._table import interpolated
from qflow.emulation.own.tflite import _lookup
from qflow.emulation.profile import Constants
from qflow.emulation.profiles._high_multiply import SHIFT_LEAST, SHIFT_MOST
from qflow.emulation.profiles.tflite_reference import TfliteReference

if TYPE_CHECKING:
    from torch import Tensor

LOWEST, HIGHEST = -(1 << 15), (1 << 15) - 1
DIFFERENCES = 1 << 16
REACH = 10.0
"""exp(-10) is the smallest that counts."""
WORD = 32
STEPS = float(HIGHEST - LOWEST)
ROLES: Mapping[str, Constant] = {
    "multiplier": Constant(("int32",), ((1,),), low=0),
    "shift": Constant(("int32",), ((1,),), low=SHIFT_LEAST, high=SHIFT_MOST),
}


def constants(step: float) -> dict[str, np.ndarray]:
    """Multiplier and shift that bring differences to steps of 10 / 65535."""
    multiplier, shift = TfliteReference().derive(np.array([step / (REACH / STEPS)]))
    return {"multiplier": multiplier.astype(np.int32), "shift": shift.astype(np.int32)}


def exponents(difference: np.ndarray, constants: Constants) -> np.ndarray:
    """exp of differences <= 0, in 2^-15."""
    rule = TfliteReference()
    multiplier, shift = (constants[r].astype(np.int64) for r in ("multiplier", "shift"))
    scaled = rule.multiply_shift(difference.astype(np.int64), multiplier, shift)
    place = np.clip(scaled + HIGHEST, LOWEST, HIGHEST)
    target = np.float32(2.0 / STEPS)
    table = _lookup.of_words(np.exp, np.float32(REACH / STEPS), target, HIGHEST)
    return interpolated(table.astype(np.int64), place)


def shares(difference: np.ndarray, constants: Constants) -> np.ndarray:
    found = exponents(difference, constants)
    reciprocal, shift = _reciprocal(found.sum(axis=-1, keepdims=True))
    half = np.int64(1) << (shift - 1)
    return np.clip((found * reciprocal + half) >> shift, 0, HIGHEST)


def fast_shares(found: Tensor, distance: Tensor, constants: Constants) -> Tensor:
    """The same of exponents, in torch."""
    import torch

    reciprocal, shift = _reciprocal(found.sum(-1, keepdim=True).cpu().numpy())
    factor = torch.from_numpy(reciprocal).to(found.device)
    right = torch.from_numpy(shift).to(found.device)
    half = torch.ones_like(right) << (right - 1)
    return ((found * factor + half) >> right).clamp_(0, HIGHEST)


def _reciprocal(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 / total in 2^-15, and the shift behind its product."""
    positive = np.maximum(total, 1)  # a sum of 0 is in damaged files only
    headroom = np.maximum(WORD - np.frexp(positive.astype(np.float64))[1].astype(np.int64), 1)
    shifted = ((positive << (headroom - 1)) + (1 << 13)) >> 14
    place = np.clip(shifted - ((1 << 15) + (1 << 16)), LOWEST, HIGHEST)
    ends = np.float64(1.0 / STEPS), np.float64(2.0 / STEPS)
    table = _lookup.of_words(lambda x: 1 / (1 + x), *ends, LOWEST)
    return interpolated(table.astype(np.int64), place), np.maximum(WORD - 1 - headroom, 1)
