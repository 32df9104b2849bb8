"""Schedulers: the factors are those of torch's own schedulers."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from qflow import registry

EPOCHS, BATCHES = 8, 5


def ours(name: str, **fields: Any) -> list[float]:
    """The factor before every step."""
    made = registry.load("engine.schedulers", name)(**fields)
    return [made(e + b / BATCHES, EPOCHS) for e in range(EPOCHS) for b in range(BATCHES)]


def theirs(make: Callable[[torch.optim.Optimizer], Any], per_step: bool) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    found = []
    for _ in range(EPOCHS):
        for _ in range(BATCHES):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if per_step:
                scheduler.step()
        if not per_step:
            scheduler.step()
    return found


@pytest.mark.parametrize(
    ("name", "fields", "make", "per_step"),
    [
        ("constant", {}, lambda o: lr_scheduler.ConstantLR(o, factor=1.0), False),
        ("step", {"every": 3, "factor": 0.5}, lambda o: lr_scheduler.StepLR(o, 3, 0.5), False),
        (
            "multi_step",
            {"milestones": (2, 5), "factor": 0.1},
            lambda o: lr_scheduler.MultiStepLR(o, [2, 5], 0.1),
            False,
        ),
        (
            "cosine",
            {"floor": 0.1},
            lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS * BATCHES, eta_min=0.1),
            True,
        ),
    ],
)
def test_as_torch(name: str, fields: dict[str, Any], make: Any, per_step: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = theirs(make, per_step)
    assert ours(name, **fields) == pytest.approx(wanted, abs=1e-9)


def test_one_cycle_rises_and_falls() -> None:
    found = ours("one_cycle", rise=0.25)
    top = found.index(max(found))
    assert (found[0], top, found[top]) == (pytest.approx(0.04), 10, pytest.approx(1.0))
    assert found == sorted(found[:top]) + sorted(found[top:], reverse=True)
    assert found[-1] < 0.01


def test_a_warm_up_begins_at_0() -> None:
    found = ours("cosine", warm_up=1.0)
    assert found[:6] == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])


@pytest.mark.parametrize("name", registry.names("engine.schedulers"))
def test_every_factor_is_between_0_and_1(name: str) -> None:
    fields = {"milestones": (3,)} if name == "multi_step" else {}
    assert all(0 <= f <= 1 for f in ours(name, **fields))


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("step", {"every": 0}),
        ("step", {"factor": 0.0}),
        ("multi_step", {"milestones": ()}),
        ("multi_step", {"milestones": (0,)}),
        ("multi_step", {"milestones": (1,), "factor": 2.0}),
        ("cosine", {"floor": 1.5}),
        ("cosine", {"warm_up": -1.0}),
        ("one_cycle", {"rise": 1.0}),
    ],
)
def test_a_field_it_cannot_use_is_named(name: str, fields: dict[str, Any]) -> None:
    last = list(fields)[-1]
    with pytest.raises(ValueError, match=f"^`{last}` must"):
        registry.load("engine.schedulers", name)(**fields)
