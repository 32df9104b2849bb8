"""exp(-distance * scale) as whole numbers, of every distance two integers of a grid can have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Constant

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

FRACTION = 28
"""exp is held in Q0.28: what is below 2^-29, at a real distance of 20.1, is 0."""
FINE_FRACTION = 24
"""Of the second table of int16: a product of both has 52 bits, which float64 holds."""
ENTRIES = 256


def constants_for(dtype: str, scale: float) -> dict[str, np.ndarray]:
    """int32 [256]: one table for 8 bits; for 16 one per byte of the distance.

    exp(-(256 h + l) s) = exp(-256 h s) exp(-l s), so that there is nothing to interpolate.
    """
    steps = np.arange(ENTRIES)
    if dtype != "int16":
        return {"exponents": _table(steps * scale, FRACTION)}
    return {
        "coarse": _table(steps * (ENTRIES * scale), FRACTION),
        "fine": _table(steps * scale, FINE_FRACTION),
    }


def _table(distances: np.ndarray, fraction: int) -> np.ndarray:
    return np.rint(np.exp(-distances.astype(np.float64)) * (1 << fraction)).astype(np.int32)


def roles(dtype: str) -> dict[str, Constant]:
    names = {"coarse": FRACTION, "fine": FINE_FRACTION}
    if dtype != "int16":
        names = {"exponents": FRACTION}
    return {
        name: Constant(("int32",), ((ENTRIES,),), low=0, high=1 << fraction)
        for name, fraction in names.items()
    }


def of(distance: np.ndarray, constants: Mapping[str, np.ndarray]) -> np.ndarray:
    """int64 in Q0.28 of distances from 0 to 255, or to 65535 where there are two tables."""
    if "exponents" in constants:
        return constants["exponents"].astype(np.int64)[distance]
    coarse, fine = constants["coarse"].astype(np.int64), constants["fine"].astype(np.int64)
    half = 1 << (FINE_FRACTION - 1)
    return (coarse[distance >> 8] * fine[distance & 255] + half) >> FINE_FRACTION


def fast(constants: Mapping[str, np.ndarray], device: Any) -> Callable[[Tensor], Tensor]:
    """The same in torch: float64 of distances in any dtype that holds them."""
    import torch

    tables = {n: torch.from_numpy(t).double().to(device) for n, t in constants.items()}

    def looked_up(name: str, index: Tensor) -> Tensor:
        return tables[name].index_select(0, index.reshape(-1)).reshape(index.shape)

    if "exponents" in constants:
        return lambda distance: looked_up("exponents", distance.int())

    def joined(distance: Tensor) -> Tensor:
        whole = distance.int()
        product = looked_up("coarse", whole >> 8) * looked_up("fine", whole & 255)
        return product.mul_(2.0**-FINE_FRACTION).add_(0.5).floor_()

    return joined
