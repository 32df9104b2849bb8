"""seeds: every stage starts from its own seed and computes with deterministic algorithms."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_of(seed: int, *names: object) -> int:
    """A seed of 32 bits for one purpose, such as a stage and an epoch."""
    text = ":".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def start(seed: int, *names: object) -> None:
    """Seed torch, NumPy and Python for what follows."""
    chosen = seed_of(seed, *names)
    random.seed(chosen)
    np.random.seed(chosen)
    torch.manual_seed(chosen)


@contextmanager
def deterministic() -> Iterator[None]:
    """Inside, torch refuses algorithms whose results change from run to run."""
    before = torch.get_deterministic_debug_mode()
    # the same switch as `use_deterministic_algorithms`, which imports torch's compiler for 2 s
    torch.set_deterministic_debug_mode("error")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)
