"""adamw: Adam with weight decay apart from the gradient."""

from __future__ import annotations

from dataclasses import dataclass

from qflow.engine.optimizers.adam import Adam


@dataclass(frozen=True)
class Adamw(Adam):
    """Loshchilov and Hutter (2019)."""

    decoupled = True
