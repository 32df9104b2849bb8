"""examples: what the declared inputs of a model hold while it is traced and compared."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from qflow.engine import seeds
from qflow.plan import sizes
from qflow.plan.plan import PortPlan
from qflow.plan.sources import Draw

EXAMPLE_SIZE = sizes.BATCH
"""What a free dimension is in the example input."""


def example(
    inputs: Sequence[PortPlan],
    drawn: bool = False,
    draws: Sequence[Draw] = (),
    seed: int = 0,
    free: int = EXAMPLE_SIZE,
    size: int = sizes.SIZE,
) -> dict[str, Tensor]:
    """Tensors of the declared shapes; values do not matter to a symbolic trace, so they are zeros.

    `drawn`: what `draws` say, the same in every run; without a draw floats are standard normal, and
    whole numbers stay zeros, which are a place in every table.
    """
    said = {d.input: d for d in draws}
    generator = torch.Generator().manual_seed(0)

    def tensor(port: PortPlan) -> Tensor:
        dims = sizes.example(port, free, size)
        dtype = getattr(torch, port.dtype)
        if drawn and port.name in said:
            return _drawn(said[port.name], dims, dtype, seed)
        if drawn and dtype.is_floating_point:
            return torch.randn(dims, generator=generator).to(dtype)
        return torch.zeros(dims, dtype=dtype)

    return {p.name: tensor(p) for p in inputs}


def _drawn(draw: Draw, dims: Sequence[int], dtype: torch.dtype, seed: int) -> Tensor:
    own = seeds.seed_of(seed, "example", draw.input) % 2**63
    generator = torch.Generator().manual_seed(own)
    if draw.distribution == "zeros":
        return torch.zeros(dims, dtype=dtype)
    low, high = draw.low, draw.high
    if draw.distribution == "normal":
        found = torch.randn(dims, generator=generator) * draw.std + draw.mean
        return (found if low is None or high is None else found.clamp(low, high)).to(dtype)
    assert low is not None
    assert high is not None
    if dtype.is_floating_point:
        return (torch.rand(dims, generator=generator) * (high - low) + low).to(dtype)
    if dtype == torch.bool:
        return torch.rand(dims, generator=generator) < 0.5
    first, last = int(low), max(int(high), int(low) + 1)
    return torch.randint(first, last, dims, generator=generator).to(dtype)
