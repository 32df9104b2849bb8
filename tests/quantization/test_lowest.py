"""The smallest value that was seen goes with a recorded grid, whatever the observer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from qflow import registry
from qflow.dtype import qint8
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.lowest import lowest
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.observers.percentile import Percentile

MAGNITUDES = ("abs_max", "fixed")
"""Those that know no sign."""
OBSERVERS = [n for n in registry.names("quantization.observers") if n not in MAGNITUDES]


def observed(observer: object, *batches: Tensor) -> FakeQuantize:
    made = FakeQuantize(observer, address="x").train()  # type: ignore[arg-type]
    made.observing = True
    for batch in batches:
        made(batch)
    return made


@pytest.mark.parametrize("name", OBSERVERS)
def test_the_sign_is_known(name: str) -> None:
    values = torch.randn(400, generator=torch.Generator().manual_seed(3))
    observer = registry.load("quantization.observers", name)()
    below = lowest(observed(observer, values, values + 0.5).activation_post_process)
    above = lowest(observed(observer, values.relu(), values.abs()).activation_post_process)
    assert below is not None
    assert below < 0
    assert above is not None
    assert above >= 0


def test_of_extremes_it_is_the_value() -> None:
    made = observed(MinMax(), torch.tensor([-0.25, 3.0]), torch.tensor([-0.75, 1.0]))
    assert lowest(made.activation_post_process) == -0.75


@pytest.mark.parametrize(
    ("values", "least", "most"),
    [([-1e-6, 5.0], -5.0 / 1024, 0.0), ([-4.0, 1.0], -4.0, -3.99), ([2.0, 3.0], 1.99, 2.0)],
)
def test_of_a_histogram_it_is_the_edge_of_a_bin(
    values: list[float], least: float, most: float
) -> None:
    found = lowest(observed(Percentile(), torch.tensor(values)).activation_post_process)
    assert found is not None
    assert least <= found <= most


def test_zeros_are_no_negative_values() -> None:
    assert lowest(observed(Percentile(), torch.tensor([0.0, 3.0])).activation_post_process) == 0.0
    assert lowest(observed(Percentile(), torch.zeros(4)).activation_post_process) == 0.0


def test_none_where_only_the_magnitude_is_known() -> None:
    values = torch.tensor([0.5, 2.0])
    largest = registry.load("quantization.observers", "abs_max")()
    assert lowest(observed(largest, values).activation_post_process) is None
    assert lowest(FakeQuantize(MinMax(), address="x").activation_post_process) is None


def test_a_loaded_range_tells_it_where_it_is_no_mirror_image() -> None:
    for observer, known in ((MinMax(), 0.5), (Percentile(), None)):
        saved = observed(observer, torch.tensor([0.5, 2.0])).state_dict()
        loaded = FakeQuantize(observer, address="x")
        loaded.load_state_dict(saved)
        assert lowest(loaded.activation_post_process) == known


@pytest.mark.parametrize(("unsigned", "expected"), [(True, 0.0), (False, None)])
def test_a_given_scale_says_itself_whether_it_is_signed(
    unsigned: bool, expected: float | None
) -> None:
    made = FakeQuantize(Fixed(0.5, unsigned=unsigned), qint8)
    assert lowest(made.activation_post_process) == expected
