"""Losses, optimizers, verdicts, seeds: the small parts."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from qflow import registry
from qflow.diagnostics import Span
from qflow.engine import seeds
from qflow.engine.verdict import judge, verdicts
from qflow.plan.plan import ClaimPlan


@pytest.mark.parametrize("name", registry.names("engine.optimizers"))
def test_every_optimizer_moves_weights_downhill(name: str) -> None:
    parameter = nn.Parameter(torch.tensor([2.0]))
    optimizer = registry.load("engine.optimizers", name)(lr=0.1).make([parameter])
    for _ in range(5):
        optimizer.zero_grad()
        (parameter**2).sum().backward()
        optimizer.step()
    assert 0 < parameter.item() < 2


@pytest.mark.parametrize("name", registry.names("engine.optimizers"))
def test_weight_decay_pulls_to_zero_without_a_gradient(name: str) -> None:
    parameter = nn.Parameter(torch.tensor([2.0]))
    made = registry.load("engine.optimizers", name)(lr=0.1, weight_decay=0.5).make([parameter])
    parameter.grad = torch.zeros(1)
    made.step()
    assert parameter.item() == pytest.approx(1.9)


def test_cross_entropy_is_torchs() -> None:
    logits, target = torch.tensor([[2.0, 0.0]]), torch.tensor([0])
    loss = registry.load("engine.losses", "cross_entropy")()
    assert loss({"a": logits}, target).item() == pytest.approx(float(np.log1p(np.exp(-2))))


def test_mse_refuses_to_broadcast() -> None:
    loss = registry.load("engine.losses", "mse")()
    assert loss({"a": torch.zeros(2, 1)}, torch.full((2, 1), 3)).item() == 9.0
    with pytest.raises(ValueError, match=r"output is \[2, 1\] and the target \[2\]"):
        loss({"a": torch.zeros(2, 1)}, torch.zeros(2))


def claim(operator: str, value: float, *, negated: bool = False, **more: object) -> ClaimPlan:
    fields = {"severity": "assert", "text": "t", "measure": "m", "args": (), "data": None, **more}
    return ClaimPlan(
        operator=operator, value=value, negated=negated, at=Span("x", 1, 1, 1, 1), **fields
    )


@pytest.mark.parametrize(
    ("operator", "value", "found", "holds"),
    [
        ("<=", 1, 1, True),
        ("<", 1, 1, False),
        (">=", 0.5, 0.4, False),
        (">", 0.5, 0.6, True),
        ("==", True, True, True),
        ("!=", True, True, False),
    ],
)
def test_a_claim_compares(operator: str, value: float, found: float, holds: bool) -> None:
    assert judge(claim(operator, value), found) == {"value": found, "holds": holds}
    assert judge(claim(operator, value, negated=True), found)["holds"] is not holds


def test_words_of_verdicts() -> None:
    class Plan:
        claims = (
            claim("==", 1, text="a", proved=True),
            claim("==", 1, text="b"),
            claim("==", 1, text="c"),
            claim("==", 1, text="d", severity="warn"),
        )

    measured = {
        "b": {"value": 1, "holds": True},
        "c": {"value": 2, "holds": False},
        "d": {"value": 2, "holds": False},
    }
    words = [v.word for v in verdicts(Plan, measured)]
    assert words == ["proved", "holds", "fails", "warning"]


def test_a_seed_starts_all_three_generators() -> None:
    def draw(*names: object) -> tuple[float, float, float]:
        seeds.start(1, *names)
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    assert draw("a", 0) == draw("a", 0)
    assert all(x != y for x, y in zip(draw("a", 0), draw("a", 1), strict=True))


def test_deterministic_algorithms_end_with_the_block() -> None:
    with seeds.deterministic():
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
