"""Example inputs hold what is declared, the same in every run."""

import torch

from qflow.engine.examples import example
from qflow.plan.plan import PortPlan
from qflow.plan.sources import Draw

IMAGE = PortPlan("image", "float32", ("N", 3, 16, 16))
IDS = PortPlan("ids", "int64", ("N", 64))


def test_nothing_is_said() -> None:
    found = example((IMAGE, IDS))
    assert all(not v.any() for v in found.values())
    drawn = example((IMAGE, IDS), drawn=True)
    assert drawn["image"].shape == (2, 3, 16, 16)
    assert 0.9 < drawn["image"].std() < 1.1
    # whole numbers are a place in every table
    assert not drawn["ids"].any()
    assert drawn["ids"].dtype == torch.int64


def test_a_range_a_seed_and_a_free_size() -> None:
    draws = (Draw("image", "uniform", -2.0, 3.0), Draw("ids", "uniform", 5.0, 8.0))
    found = example((IMAGE, IDS), True, draws, seed=1, free=3)
    assert found["image"].shape[0] == 3
    assert found["image"].min() >= -2
    assert found["image"].max() < 3
    assert found["image"].mean().abs() < 1
    assert set(found["ids"].flatten().tolist()) == {5, 6, 7}
    again = example((IMAGE, IDS), True, draws, seed=1, free=3)
    assert all(torch.equal(found[k], again[k]) for k in found)
    other = example((IMAGE, IDS), True, draws, seed=2, free=3)
    assert not torch.equal(found["image"], other["image"])


def test_a_normal_distribution_cut_to_a_range() -> None:
    draw = Draw("image", "normal", -1.0, 1.0, mean=0.5, std=2.0)
    found = example((IMAGE,), True, (draw,))["image"]
    assert (found.min(), found.max()) == (-1, 1)
    assert not example((IMAGE,), True, (Draw("image", "zeros"),))["image"].any()
