"""softmax of int8 by the optimized kernels: float32 exponents from a table, summed in order.

`y = round(e * float32(1 / float32(sum * 2^-8))) - 128`, half away from zero, e the exponent of the
distance to the largest, each sum and product a float32. Source: the table-driven int8 softmax of
LiteRT 2.3.0 on x86-64, measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.op import Constant
from qflow.emulation.profile import Constants

if TYPE_CHECKING:
    from torch import Tensor

DIFFERENCES = 256
LOWEST, HIGHEST = -128, 127
STEP = np.float32(2.0**-8)
ROLES: Mapping[str, Constant] = {"exponents": Constant(("float32",), ((DIFFERENCES,),))}


def constants(step: float) -> dict[str, np.ndarray]:
    """exp(-k * s_x) by k."""
    places = np.float32(-step) * np.arange(DIFFERENCES).astype(np.float32)
    return {"exponents": np.exp(places.astype(np.float64)).astype(np.float32)}


def exponents(difference: np.ndarray, constants: Constants) -> np.ndarray:
    return constants["exponents"][-difference]


def shares(difference: np.ndarray, constants: Constants) -> np.ndarray:
    found = exponents(difference, constants)
    with np.errstate(all="ignore"):
        steps = np.nan_to_num(found * _per_step(found), posinf=0.0, neginf=0.0)
    rounded = np.floor(steps.astype(np.float64) + 0.5) + LOWEST
    return np.clip(rounded, LOWEST, HIGHEST).astype(np.int64)


def fast_shares(found: Tensor, distance: Tensor, constants: Constants) -> Tensor:
    """The same of exponents, in torch."""
    import torch

    factor = torch.from_numpy(_per_step(found.cpu().numpy())).to(found.device)
    steps = (found * factor).nan_to_num_(0.0, 0.0, 0.0).double().add_(0.5).floor_()
    return steps.add_(LOWEST).clamp_(LOWEST, HIGHEST).float()


def _per_step(found: np.ndarray) -> np.ndarray:
    # one after the other: float32 sums depend on the order, and torch adds in another one
    with np.errstate(all="ignore"):  # a sum of 0 or infinity is in damaged files only
        total = np.add.accumulate(found, axis=-1)[..., -1:] * STEP
        return np.nan_to_num((np.float32(1) / total).astype(np.float32), posinf=0.0, neginf=0.0)
