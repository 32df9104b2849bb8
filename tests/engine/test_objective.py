"""Losses: mixed by weight, taught by the float model, named by word or entry point."""

import json
import math

import pytest
import torch
from torch.nn import functional

from qflow import registry
from qflow.engine.objective import may_ask_teacher
from qflow.plan.plan import Setting, StagePlan
from tests.engine.conftest import Project

FIELDS = "loss = cross_entropy; optimizer = sgd; lr = 1e-2"
OURS, THEIRS = torch.tensor([[1.0, 3.0], [0.5, -1.0]]), torch.tensor([[2.0, 2.0], [1.0, -2.0]])


def loss(name: str, **fields: float) -> float:
    return registry.load("engine.losses", name)(**fields)({"a": OURS}, None, {"a": THEIRS}).item()


def test_distill_kl_by_hand() -> None:
    for t in (1.0, 4.0):
        p, q = torch.softmax(THEIRS / t, 1), torch.softmax(OURS / t, 1)
        wanted = t * t * (p * (p / q).log()).sum(1).mean().item()
        assert loss("distill_kl", temperature=t) == pytest.approx(wanted, rel=1e-5)


def test_distill_mse_and_cosine_by_hand() -> None:
    assert loss("distill_mse") == pytest.approx((1 + 1 + 0.25 + 1) / 4)
    cosines = [8 / math.sqrt(10 * 8), 2.5 / math.sqrt(1.25 * 5)]
    assert loss("distill_cosine") == pytest.approx(1 - sum(cosines) / 2, abs=1e-6)


@pytest.mark.parametrize("name", ["distill_kl", "distill_mse", "distill_cosine"])
def test_nothing_is_left_to_learn_of_an_equal(name: str) -> None:
    made = registry.load("engine.losses", name)()
    both = {"a": OURS, "b": THEIRS}
    assert made(both, None, both).item() == pytest.approx(0, abs=1e-6)
    assert made({**both, "b": OURS}, None, both).item() > 0.01, "every output counts"


def losses_of(project: Project) -> str:
    outcome = project.run("--set", "rounds=1")
    assert outcome.code == 0, outcome.text
    return next(line for line in outcome.out.splitlines() if "epoch 1/1" in line)


def test_a_mix_is_the_weighted_sum(project: Project) -> None:
    """With a learning rate that changes nothing, the sums can be compared."""
    still = FIELDS.replace("1e-2", "1e-30")
    source = """
class Half:
    factor = 0.5

    def __init__(self, factor=0.5):
        self.factor = factor

    def __call__(self, outputs, target):
        return (outputs["logits"] ** 2).mean() * self.factor


class Whole(Half):
    def __init__(self):
        super().__init__(1.0)
"""
    project.write("tiny/losses.py", source)
    found = {}
    for name, text in {
        "ce": "cross_entropy",
        "whole": '"tiny.losses:Whole"',
        "mix": '{cross_entropy: 2.0, mine: 4.0}; loss.mine = "tiny.losses:Half"; loss.mine.factor = 0.25',
    }.items():
        project.out_name = project.folder / name
        before = project.program.read_text()
        project.replace("tiny.qf", FIELDS, still.replace("cross_entropy", text, 1))
        found[name] = float(losses_of(project).split()[-1])
        project.write("tiny.qf", before)
    assert found["mix"] == pytest.approx(2 * found["ce"] + found["whole"], abs=3e-4)


def test_distillation_needs_no_targets(project: Project) -> None:
    more = "\n\ndef unlabelled():\n    return [image for image, _ in samples(24)]\n"
    project.write("tiny/data.py", (project.folder / "tiny/data.py").read_text() + more)
    project.replace(
        "tiny.qf",
        'train { loader = "tiny.data:training"',
        'train { loader = "tiny.data:unlabelled"',
    )
    assert project.run().code == 2
    project.replace("tiny.qf", "loss = cross_entropy", "loss = distill_mse")
    assert project.run().code == 0


def test_distillation_brings_outputs_to_those_of_the_float_model(project: Project) -> None:
    project.replace("tiny.qf", "loss = cross_entropy", "loss = distill_mse")
    assert project.run("--set", "rounds=5").code == 0
    (found,) = (p for p in project.out.glob("cache/finetune-*") if p.is_dir())
    losses = json.loads((found / "result.json").read_text())["losses"]
    assert losses[-1] < losses[0]


def test_the_teacher_is_part_of_the_key() -> None:
    """Other float weights, another artifact, even where the stage before is the same."""

    def asks(**settings: object) -> bool:
        named = tuple((n.replace("__", "."), Setting(v)) for n, v in settings.items())
        return may_ask_teacher(StagePlan("s", "d", 1, (), named))

    assert not asks(loss="cross_entropy")
    assert asks(loss="distill_kl")
    assert asks(loss="a:B")
    assert asks(loss__cross_entropy=1.0, loss__distill_kl=0.5)
    assert asks(loss__mine=1.0, loss__mine__entry="a:B")
    assert not asks(loss__mse=1.0, loss__cross_entropy=1.0)


def test_distill_kl_at_1_is_torchs() -> None:
    wanted = functional.kl_div(
        OURS.log_softmax(1), THEIRS.log_softmax(1), log_target=True, reduction="batchmean"
    )
    assert loss("distill_kl", temperature=1.0) == pytest.approx(wanted.item(), rel=1e-6)


OWN = """
from functools import partial

import torch


class Loss:
    def __init__(self, power=2):
        self.power = power

    def __call__(self, outputs, target):
        return (outputs["logits"].abs() ** self.power).mean()


cubic = partial(Loss, power=3)


class Each(Loss):
    def __call__(self, outputs, target):
        return outputs["logits"].sum(1)


class Number(Loss):
    def __call__(self, outputs, target):
        return 1.0


class Nothing(Loss):
    def __call__(self, outputs, target):
        return None


class Raises(Loss):
    def __call__(self, outputs, target):
        raise SystemExit(0)
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Each", "`tiny.own:Each` gives a Tensor [8], not one number"),
        ("Number", "`tiny.own:Number` gives a float, not one number"),
        ("Nothing", "`tiny.own:Nothing` gives a NoneType, not one number"),
        ("Raises", "`tiny.own:Raises` failed with SystemExit: 0"),
    ],
)
def test_a_loss_that_is_broken(project: Project, name: str, text: str) -> None:
    project.write("tiny/own.py", OWN)
    project.replace("tiny.qf", "loss = cross_entropy", f'loss = "tiny.own:{name}"')
    outcome = project.run()
    assert outcome.code == 3, outcome.text
    assert f"error[QF312]: the loss {text}" in outcome.err
    assert f'  loss = "tiny.own:{name}"' in outcome.err


def test_a_partial_is_what_its_file_says(project: Project) -> None:
    """An entry point may be anything that can be called; its file is part of the key."""
    project.write("tiny/own.py", OWN)
    project.replace("tiny.qf", "loss = cross_entropy", 'loss = "tiny.own:cubic"')
    assert project.run().code == 0
    assert project.run().code == 0
    assert all(reused for name, reused in project.how().items() if name != "trace")
    project.replace("tiny/own.py", "power=3", "power=4")
    assert project.run().code == 0
    how = project.how()
    assert how["calibrate"]
    assert not how["finetune"]


@pytest.mark.parametrize(
    ("written", "code", "text"),
    [
        ('scheduler = "tiny.own:Missing"', 2, "`tiny.own` has no `Missing`"),
        ('scheduler = "tiny.own:Loss"; scheduler.foo = 1', 2, "unexpected keyword argument 'foo'"),
        ('scheduler = "tiny.own:Flat"', 3, "the scheduler multiplies `lr` with nan at epoch 0"),
        ('optimizer = "tiny.own:Empty"', 3, "`make` gives a NoneType, not a torch optimizer"),
    ],
)
def test_what_moves_weights_is_looked_at(
    project: Project, written: str, code: int, text: str
) -> None:
    """Before any stage runs, where it can be seen then."""
    more = """
class Flat:
    def __call__(self, at, epochs):
        return float("nan")


class Empty:
    def __init__(self, lr):
        pass

    def make(self, parameters):
        return None
"""
    project.write("tiny/own.py", OWN + more)
    old = "optimizer = sgd;" if written.startswith("optimizer") else "lr = 1e-2"
    project.replace("tiny.qf", old, f"{written};" if old[0] == "o" else f"{old}; {written}")
    outcome = project.run()
    assert outcome.code == code, outcome.text
    assert text in outcome.err
    assert bool([*project.out.glob("cache/calibrate-*/manifest.json")]) is (code == 3)
