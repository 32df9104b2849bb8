"""Observers against thresholds that a calibrator of the field found for the same tensors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from qflow import registry
from qflow.quantization.observers import _divergence
from qflow.quantization.observers.kl import Kl
from tests.quantization import reference
from tests.quantization.reference import INT8, Array

DATA = Path(__file__).parent / "data"
KNOWN: dict[str, Any] = json.loads((DATA / "calibrator.json").read_text())
SAMPLES: dict[str, Array] = dict(np.load(DATA / "calibrator.npz"))
TENSORS = sorted(SAMPLES)


def high_of(name: str, rows: Array, **settings: Any) -> float:
    """The range of an observer that sees these rows of samples alone."""
    observer = registry.load("quantization.observers", name)(**settings)
    state = observer.start(1)
    for row in rows:
        state = observer.observe(state, torch.from_numpy(row)[None])
    return float(observer.range(state, INT8)[1])


def threshold(name: str, tensor: str) -> float:
    return float(KNOWN["thresholds"][name][tensor])


@pytest.mark.parametrize("tensor", TENSORS)
def test_abs_max(tensor: str) -> None:
    assert high_of("abs_max", SAMPLES[tensor]) == pytest.approx(
        threshold("abs_max", tensor), abs=1e-6
    )


@pytest.mark.parametrize("tensor", TENSORS)
@pytest.mark.parametrize("name", ["aciq_gauss", "aciq_laplace", "octav"])
def test_the_references_are_the_calibrator(name: str, tensor: str) -> None:
    """It averages the result of each sample, and caps the average."""
    rows = SAMPLES[tensor].astype(np.float64)
    mean = np.mean([getattr(reference, name)(row, INT8, cap=False) for row in rows])
    found = min(mean, np.abs(rows).max())
    assert found == pytest.approx(threshold(name, tensor), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("tensor", TENSORS)
@pytest.mark.parametrize(
    ("name", "settings", "share"),
    [
        ("aciq_gauss", {}, 1e-12),
        ("aciq_laplace", {}, 1e-4),
        ("octav", {"bins": 1 << 16}, 1e-3),
        ("octav", {}, 1e-2),
    ],
)
def test_samples_alone(name: str, settings: dict[str, Any], share: float, tensor: str) -> None:
    for row in SAMPLES[tensor]:
        wanted = getattr(reference, name)(row.astype(np.float64), INT8)
        assert high_of(name, row[None], **settings) == pytest.approx(wanted, rel=share)


def histogram_of_the_calibrator(tensor: str) -> tuple[Array, float]:
    """Its bins round, and their width is that of the first sample: more of it are appended."""
    rows = [np.abs(SAMPLES[tensor][i].astype(np.float64)) for i in KNOWN["order"]]
    top, bins = rows[0].max(), 2048
    width = top / (bins - 1)
    for row in rows[1:]:
        if row.max() > top:
            more = int((row.max() - top) / width + 1)
            bins, top = bins + more, top + more * width
    bins += -bins % 128
    found = np.zeros(bins)
    for row in rows:
        found += np.bincount(np.floor(row[row != 0] / width + 0.5).astype(int), minlength=bins)
    return found, width


@pytest.mark.parametrize("tensor", [t for t in TENSORS if t != "mp_MaxPool"])
def test_kl_on_the_bins_of_the_calibrator(tensor: str) -> None:
    """The pooled tensor is left out: two ranges of it cost 0.04046 and 0.04057, and the width of
    the bins, which is known to 3e-4 alone, decides."""
    counts, width = histogram_of_the_calibrator(tensor)
    size = _divergence.best(torch.from_numpy(counts), 128, _divergence.relative_entropy)
    found = min(size * 128 * width, float(np.abs(SAMPLES[tensor]).max()))
    assert found == pytest.approx(threshold("kl", tensor), rel=3e-4)


@pytest.mark.parametrize("tensor", TENSORS)
def test_kl_on_our_bins_clips_about_as_much(tensor: str) -> None:
    """Other bins, another first minimum: but never less than half, and never beyond the data."""
    found = high_of("kl", SAMPLES[tensor], bins=Kl().bins)
    assert found <= np.abs(SAMPLES[tensor]).max()
    assert 0.4 < found / threshold("kl", tensor) < 2.5
