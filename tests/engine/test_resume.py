"""Training that is killed, in the middle of any epoch, ends with the bits of one that was not."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from qflow.engine import resume
from qflow.engine.data import DataSet
from tests.engine.conftest import Project
from tests.engine.test_kill import Killed, state_of

ROUNDS = "--set", "rounds=3"
CHECKPOINTS = "cache/finetune-*.checkpoint.safetensors"
TRAINING = "loss = cross_entropy; optimizer = sgd; lr = 1e-2"

VARIANTS = {
    "momentum": "loss = cross_entropy; optimizer = sgd; lr = 1e-2; momentum = 0.9; scheduler = cosine",
    "adam_best": (
        "loss = {cross_entropy: 1.0, distill_kl: 0.5}; optimizer = adam; lr = 1e-2\n"
        "    clip_grad_norm = 0.5; validate = val; keep = best; scheduler = one_cycle"
    ),
    "freezes": (
        "loss = cross_entropy; optimizer = adamw; lr = 1e-2; weight_decay = 0.1\n"
        '    freeze weight "conv" from epoch 1; freeze scale "head" from epoch 1\n'
        '    freeze scale "quant" from epoch 2'
    ),
    "learned": (
        "loss = cross_entropy; optimizer = adam; lr = 1e-2\n"
        '    freeze scale "conv" from epoch 2; state "head" = validation from epoch 1'
    ),
    "random": 'loss = "tiny.losses:Noisy"; optimizer = sgd; lr = 1e-2; momentum = 0.9',
}
LEARNED = "{ act.dtype = act; act.fake_quant = pact; weight.fake_quant = lsq }"
NOISY = """
import random

import numpy as np
import torch
from torch.nn.functional import cross_entropy


class Noisy:
    def __call__(self, outputs, target):
        noise = float(torch.rand(1)) + random.random() + float(np.random.rand())
        return cross_entropy(outputs["logits"], target) * (1 + noise)
"""


@pytest.fixture
def variant(project: Project, request: pytest.FixtureRequest) -> Project:
    project.write("tiny/losses.py", NOISY)
    project.replace("tiny.qf", TRAINING, VARIANTS[request.param])
    if request.param == "learned":
        project.replace("tiny.qf", "{ act.dtype = act }", LEARNED)
    # the statements of a variant come behind this one
    project.replace("tiny.qf", '    state "**" = qat\n', "")
    project.replace("tiny.qf", "epochs rounds {\n", 'epochs rounds {\n    state "**" = qat\n')
    return project


def dying(epoch: int, batch: int, how: Callable[[], None]) -> Callable[..., Iterator[object]]:
    """`DataSet.batches`, which dies before one batch of one epoch."""
    original = DataSet.batches

    def batches(self: DataSet, **more: int) -> Iterator[object]:
        for number, found in enumerate(original(self, **more)):
            if more.get("epoch") == epoch and number == batch:
                how()
            yield found

    return batches


def killed() -> None:
    raise Killed


@pytest.mark.parametrize("variant", VARIANTS, indirect=True)
def test_killed_in_every_epoch(variant: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project, out = variant, variant.folder / "killed"
    assert project.run(*ROUNDS).code == 0
    arguments = ("run", str(project.program), "--out", str(out), *ROUNDS)
    for epoch in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(DataSet, "batches", dying(epoch, 1, killed))
            with pytest.raises(Killed):
                project.call(*arguments)
        assert len(list(out.glob(CHECKPOINTS))) == (epoch > 0)
    outcome = project.call(*arguments)
    assert outcome.code == 0, outcome.text
    assert "goes on behind epoch 2/3" in outcome.out
    assert outcome.out.count("epoch 3/3") == 1
    assert "epoch 2/3  loss" not in outcome.out
    assert state_of(out) == state_of(project.out)
    mine = Project(project.folder, project.call, out)
    assert (mine.untimed(), mine.results()) == (project.untimed(), project.results())
    assert not list(out.glob(CHECKPOINTS))


def test_from_begins_at_the_beginning(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `--from` asks to make again does not go on from an attempt before it."""
    assert project.run(*ROUNDS).code == 0
    whole = state_of(project.out)
    again = (*ROUNDS, "--from", "finetune")
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(DataSet, "batches", dying(2, 0, killed))
            with pytest.raises(Killed):
                project.run(*again)
    # another command in between: the attempt above is not this one's
    assert project.run(*ROUNDS, "--from", "calibrate").out.count("epoch 1/3") == 1
    with monkeypatch.context() as patch:
        patch.setattr(DataSet, "batches", dying(2, 0, killed))
        with pytest.raises(Killed):
            project.run(*again)
    outcome = project.run(*again)
    assert "goes on behind epoch 2/3" in outcome.out
    assert state_of(project.out) == whole


@pytest.mark.parametrize("spoil", ["cut", "flip", "other"])
def test_a_spoilt_checkpoint_is_not_used(
    project: Project, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(DataSet, "batches", dying(1, 1, killed))
        with pytest.raises(Killed):
            project.run(*ROUNDS)
    (path,) = project.out.glob(CHECKPOINTS)
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes({"cut": bytes(raw[:900]), "flip": bytes(raw), "other": b"{}"}[spoil])
    outcome = project.run(*ROUNDS)
    assert outcome.code == 0, outcome.text
    assert "goes on" not in outcome.out
    assert "epoch 1/3  loss" in outcome.out


def test_random_generators_go_on_where_they_were(tmp_path: Path) -> None:
    def draw() -> tuple[float, float, float, float]:
        return random.random(), random.gauss(0, 1), float(np.random.randn()), float(torch.rand(1))

    draw()
    empty = resume.Checkpoint(2, {"a": torch.ones(2, 3).t()}, {}, {}, {"x": [1]})
    resume.write(tmp_path / "c", empty)
    wanted = draw()
    draw()
    found = resume.read(tmp_path / "c")
    assert found is not None
    assert draw() == wanted
    assert (found.epoch, found.plain) == (2, {"x": [1]})
    assert torch.equal(found.model["a"], torch.ones(3, 2))


def test_an_optimizer_with_another_kind_of_state_begins_anew(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
import torch


class Own(torch.optim.SGD):
    def step(self, closure=None):
        super().step(closure)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["history"] = [1, 2]
"""
    project.write("tiny/optimizers.py", source)
    project.replace("tiny.qf", "optimizer = sgd", 'optimizer = "tiny.optimizers:Own"')
    with monkeypatch.context() as patch:
        patch.setattr(DataSet, "batches", dying(1, 1, killed))
        with pytest.raises(Killed):
            project.run(*ROUNDS)
    assert not list(project.out.glob(CHECKPOINTS))
    outcome = project.run(*ROUNDS)
    assert outcome.code == 0, outcome.text
    assert "epoch 1/3  loss" in outcome.out
