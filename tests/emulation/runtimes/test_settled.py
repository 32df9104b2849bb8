"""Estimates settle only what their error allows."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.emulation.runtimes._settled import by_rows, settle

LOW, HIGH = -128, 127
QUICK = settings(max_examples=60, deadline=None, derandomize=True)


def near_steps(random: np.random.Generator, rows: int, width: int) -> np.ndarray:
    """True values, half of them within 1e-4 of a whole number."""
    whole = random.integers(-140, 140, (rows, width)).astype(np.float64)
    away = random.uniform(0, 1, whole.shape)
    close = random.random(whole.shape) < 0.5
    return whole + np.where(close, random.uniform(-1e-4, 1e-4, whole.shape), away)


@QUICK
@given(
    seed=st.integers(0, 1 << 30),
    relative=st.sampled_from([0.0, 2e-5, 1e-3]),
    absolute=st.sampled_from([1e-4, 3e-3]),
)
def test_rows_without_doubt_are_right(seed: int, relative: float, absolute: float) -> None:
    random = np.random.default_rng(seed)
    true = near_steps(random, 300, 5)
    true = np.abs(true) if relative else true
    error = random.uniform(-1, 1, true.shape) * 0.9
    # what float32 rounds is in the error that is left
    given = ((true + error * absolute) / (1 + error * relative)).astype(np.float32)
    doubtful = torch.empty((len(true), 1), dtype=torch.bool)
    margin = torch.tensor(absolute)
    found = settle(torch.from_numpy(given), relative, margin, LOW, HIGH, doubtful).numpy()
    right = (found == np.clip(np.floor(true), LOW, HIGH)).all(1)
    assert right[~doubtful[:, 0].numpy()].all()


def test_values_far_from_steps_are_not_in_doubt() -> None:
    estimates = torch.arange(-100, 100).reshape(-1, 1) + torch.tensor([[0.2, 0.5, 0.9]])
    doubtful = torch.empty((200, 1), dtype=torch.bool)
    settle(estimates, 0.0, torch.tensor(1e-3), LOW, HIGH, doubtful)
    assert not doubtful.any()


def test_rows_in_doubt_are_computed_exactly() -> None:
    """In blocks or not, with what belongs to each row; nothing else is."""
    random = np.random.default_rng(0)
    x = torch.from_numpy(random.integers(-100, 100, (3, 400, 70)))
    slope = torch.from_numpy(random.uniform(0.1, 1, (3, 400, 1)))
    seen = []

    def estimated(x: torch.Tensor, doubtful: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        wrong = x.float() * slope.float() + 1e-4
        return settle(wrong, 0.0, torch.tensor(3e-4), LOW, HIGH, doubtful).to(torch.int8)

    def exactly(x: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        seen.append(len(x))
        return (x * slope).floor().to(torch.int8)

    result = by_rows(estimated, exactly)(x, slope)
    assert torch.equal(result, (x * slope).floor().to(torch.int8))
    assert 0 < seen[0] < 1200
