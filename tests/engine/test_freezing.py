"""States over epochs and freezes: what they keep is bit-identical, what they leave moves."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, fx, nn

from qflow.engine import freezing
from qflow.plan.plan import Freezing, StagePlan
from tests.engine.conftest import Project

STATE = '    state "**" = qat\n'
HARD = "optimizer = sgd; lr = 5e-2; momentum = 0.9; weight_decay = 0.1"


def state_of(project: Project, stage: str) -> dict[str, Tensor]:
    (found,) = (p for p in project.out.glob(f"cache/{stage}-*") if p.is_dir())
    return load_file(found / "state.safetensors")


def trained(project: Project, *lines: str, rounds: int = 2) -> set[str]:
    """Keys that training moved, with these lines in the stage and an optimizer that moves all."""
    project.replace("tiny.qf", "optimizer = sgd; lr = 1e-2", HARD)
    project.replace("tiny.qf", STATE, STATE + "".join(f"    {line}\n" for line in lines))
    outcome = project.run("--set", f"rounds={rounds}")
    assert outcome.code == 0, outcome.text
    before, after = state_of(project, "calibrate"), state_of(project, "finetune")
    return {k.partition("/")[2] for k in before if not torch.equal(before[k], after[k])}


WEIGHTS = {"conv.weight", "conv.bias", "head.weight", "head.bias"}
SCALES = {"conv.weight_fake_quant.scale", "head.weight_fake_quant.scale"}


def test_without_a_freeze_everything_moves(project: Project) -> None:
    assert trained(project) >= WEIGHTS | SCALES


def test_a_frozen_backbone(project: Project) -> None:
    """All of `conv` stays, and nothing else."""
    moved = trained(
        project, 'state "conv" = validation', 'freeze weight "conv"', 'freeze scale "conv"'
    )
    assert not {k for k in moved if k.startswith("conv.")}
    assert {"head.weight", "head.bias", "head.weight_fake_quant.scale"} <= moved


def test_only_the_scales(project: Project) -> None:
    moved = trained(project, 'freeze scale "**"')
    assert moved >= WEIGHTS
    assert not {k for k in moved if k.endswith("scale") or "activation_post_process" in k}


def test_only_a_weight(project: Project) -> None:
    moved = trained(project, 'freeze weight "head"')
    assert "conv.weight" in moved
    assert not moved & {"head.weight", "head.bias", "head.weight_fake_quant.scale"}


LEARNED = "{ act.dtype = act; act.fake_quant = lsq; weight.fake_quant = lsq }"


@pytest.mark.parametrize("line", ['state "conv" = validation', 'freeze scale "conv"'])
def test_a_learned_scale_rests(project: Project, line: str) -> None:
    """Neither its gradient nor the decay of weights reaches it."""
    project.replace("tiny.qf", "{ act.dtype = act }", LEARNED)
    moved = trained(project, line)
    assert {"conv.weight", "head.weight_fake_quant.scale"} <= moved
    assert not {k for k in moved if k.startswith("conv.") and "quant" in k}


def test_a_learned_scale_does_not_decay(project: Project) -> None:
    """With a loss that asks for nothing, weights shrink and learned scales do not."""
    source = """
class Nothing:
    def __call__(self, outputs, target):
        return (outputs["logits"] * 0.0).sum()
"""
    project.write("tiny/losses.py", source)
    project.replace("tiny.qf", "loss = cross_entropy", 'loss = "tiny.losses:Nothing"')
    project.replace("tiny.qf", "{ act.dtype = act }", LEARNED)
    moved = trained(project)
    assert moved >= WEIGHTS
    assert not {k for k in moved if k.endswith("scale")}


def test_from_an_epoch_on(project: Project) -> None:
    """The first epoch is that of a training of one epoch; momentum moves nothing after it."""
    trained(
        project, 'freeze weight "conv" from epoch 1', 'freeze scale "conv" from epoch 1', rounds=3
    )
    long = state_of(project, "finetune")
    project.out_name = project.folder / "short"
    outcome = project.run("--set", "rounds=1")
    assert outcome.code == 0, outcome.text
    assert "QF270" in outcome.err
    short = state_of(project, "finetune")
    same = {k for k in short if torch.equal(short[k], long[k])}
    assert {f"state/conv.{n}" for n in ("weight", "bias", "weight_fake_quant.scale")} <= same
    assert "state/head.weight" not in same


def test_a_state_that_begins_later(project: Project) -> None:
    """Float in the first epoch: nothing is observed there, nor is anything rounded."""
    project.replace("tiny.qf", STATE, '    state "**" = float\n    state "**" = qat from epoch 1\n')
    assert project.run("--set", "rounds=1").code == 0
    one, before = state_of(project, "finetune"), state_of(project, "calibrate")
    scale = "state/conv.weight_fake_quant.scale"
    assert torch.equal(one[scale], before[scale])
    assert not torch.equal(one["state/conv.weight"], before["state/conv.weight"])
    project.out_name = project.folder / "two"
    assert project.run("--set", "rounds=2").code == 0
    assert not torch.equal(state_of(project, "finetune")[scale], before[scale])


@pytest.mark.parametrize(
    ("lines", "epoch"),
    [
        (['freeze weight "**"'], 0),
        (['freeze weight "conv"', 'freeze weight "head" from epoch 1'], 1),
    ],
)
def test_nothing_left_to_train(project: Project, lines: list[str], epoch: int) -> None:
    project.replace("tiny.qf", STATE, STATE + "".join(f"    {line}\n" for line in lines))
    outcome = project.run("--set", "rounds=2")
    assert outcome.code == 2
    assert f"error[QF272]: stage `finetune` leaves nothing to train in epoch {epoch}" in outcome.err


def test_calibration_keeps_frozen_scales(project: Project) -> None:
    """A second calibration leaves what is frozen in it."""
    second = (
        '  stage again on val {\n    state "**" = calibration\n    freeze scale "quant"\n  }\n'
        "  stage finetune"
    )
    project.replace("tiny.qf", "  stage finetune", second)
    project.replace(
        "tiny.qf", "act.dtype = act }", "act.dtype = act; act.observer = moving_average }"
    )
    assert project.run("--set", "rounds=0").code == 0
    first, again = state_of(project, "calibrate"), state_of(project, "again")
    key = "state/{}.activation_post_process.scale".format
    assert torch.equal(first[key("quant")], again[key("quant")])
    assert not torch.equal(first[key("conv")], again[key("conv")])


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(1, 2, 1)
        self.bn = nn.BatchNorm2d(2)
        self.other = nn.BatchNorm2d(2)
        self.drop = nn.Dropout(0.5)
        self.gain = nn.Parameter(torch.ones(2, 1, 1))
        self.scale = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.other(self.bn(self.body(x)))) * self.scale(self.gain)


def test_batch_norms_and_dropouts_rest_where_they_are_frozen() -> None:
    module = fx.symbolic_trace(Small())
    stage = StagePlan(
        "s",
        "d",
        4,
        (),
        freezes=(
            Freezing("bn", "bn", 0),
            Freezing("other", "bn", 2),
            Freezing("drop", "weight", 1),
            Freezing("scale", "weight", 1),
        ),
    )
    modes = []
    for epoch in range(3):
        freezing.begin(module, stage, epoch)
        modes.append((module.bn.training, module.other.training, module.drop.training))
        assert module.gain.requires_grad is (epoch == 0), "a parameter its call is given"
    assert modes == [(False, True, True), (False, True, False), (False, False, False)]
    before = module.bn.running_mean.clone()
    freezing.begin(module, stage, 0)
    module(torch.randn(4, 1, 3, 3))
    assert torch.equal(module.bn.running_mean, before)
    assert not torch.equal(module.other.running_mean, before)


def test_epochs_in_which_something_changes() -> None:
    stage = StagePlan("s", "d", 9, (), freezes=(Freezing("a", "bn", 3), Freezing("b", "bn", 3)))
    assert freezing.turns(stage) == (0, 3)


def test_the_plan_and_why_say_it(project: Project, tmp_path: Path) -> None:
    project.replace("tiny.qf", STATE, STATE + '    freeze scale "head" from epoch 1\n')
    assert project.lock().code == 0
    plan = project.call("plan", str(project.program), "--set", "rounds=2").out
    assert "    freeze scale  head from epoch 1\n" in plan
    why = project.call("why", str(project.program), "head", "--set", "rounds=2").out
    assert 'scale frozen from epoch 1   29 | freeze scale "head" from epoch 1' in why
    assert "in finetune          qat" in why
