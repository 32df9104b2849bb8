"""Stages with a method: rounding and biases in a program, their fields, what they leave alone."""

import json
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.engine.conftest import Project

STAGE = """  stage fit on calib {
    method = METHOD
    state "**" = validation
  }
  stage finetune"""


def folder(project: Project, stage: str) -> Any:
    (found,) = (p for p in project.out.glob(f"cache/{stage}-*") if p.is_dir())
    return found


def state_of(project: Project, stage: str) -> dict[str, Tensor]:
    return load_file(folder(project, stage) / "state.safetensors")


def run(project: Project, method: str, *more: str) -> list[dict[str, Any]]:
    """Layers of a stage with a method between calibration and evaluation."""
    project.replace("tiny.qf", "  stage finetune", STAGE.replace("METHOD", method))
    for line in more:
        project.replace("tiny.qf", "    method =", f"    {line}\n    method =")
    outcome = project.run("--set", "rounds=0")
    assert outcome.code == 0, outcome.text
    assert f"{'fit':<12}conv  error" in outcome.out
    return json.loads((folder(project, "fit") / "result.json").read_text())["layers"]


def moved(project: Project) -> set[str]:
    before, after = state_of(project, "calibrate"), state_of(project, "fit")
    return {k.partition("/")[2] for k in before if not torch.equal(before[k], after[k])}


def test_adaround(project: Project) -> None:
    layers = run(project, "adaround; steps = 60; lr = 0.05; batches = 2")
    assert [layer["address"] for layer in layers] == ["conv", "head"]
    assert all(layer["after"] <= layer["before"] for layer in layers)
    turned = {f"{layer['address']}.weight" for layer in layers if layer["turned"]}
    assert turned
    assert moved(project) == turned


def test_bias_correction(project: Project) -> None:
    layers = run(project, "bias_correction")
    kept = {f"{layer['address']}.bias" for layer in layers if layer["kept"]}
    assert kept
    assert moved(project) == kept


def test_a_layer_without_a_bias_gets_one(project: Project) -> None:
    project.replace("tiny/model.py", "width, 3, padding=1)", "width, 3, padding=1, bias=False)")
    run(project, "bias_correction")
    assert "state/conv.bias" not in state_of(project, "calibrate")
    assert "state/conv.bias" in state_of(project, "fit")
    # and everything behind it reads it: training, integers, the exported file
    assert project.summary()["oracle"]["mismatches"] == 0
    assert project.run("--set", "rounds=1").code == 0
    assert "state/conv.bias" in state_of(project, "finetune")


def test_frozen_and_float_layers_stay(project: Project) -> None:
    layers = run(project, "adaround; steps = 30; lr = 0.1", 'freeze weight "head"')
    assert [layer["address"] for layer in layers] == ["conv"]
    assert "head.weight" not in moved(project)


def test_the_same_bits_again(project: Project) -> None:
    run(project, "adaround; steps = 20")
    first = project.results()
    assert project.run("--set", "rounds=0", "--from", "fit").code == 0
    assert project.results() == first


def test_ones_own_method(project: Project) -> None:
    source = """
class Halve:
    batches = 1

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, model, float_model, runs, kept, tell):
        (run,) = runs
        assert run(model)["logits"].shape == run(float_model)["logits"].shape
        model.head.bias.data.mul_(self.factor)
        tell("conv  error of nobody")
        return [{"address": "head"}]
"""
    project.write("tiny/methods.py", source)
    run(project, '"tiny.methods:Halve"; factor = 0.5')
    before, after = state_of(project, "calibrate"), state_of(project, "fit")
    assert torch.equal(before["state/head.bias"] * 0.5, after["state/head.bias"])


@pytest.mark.parametrize(
    "line", ['freeze weight "**"', 'state "conv" = float\n    state "head" = float']
)
def test_nothing_to_work_on(project: Project, line: str) -> None:
    text = STAGE.replace("METHOD", "adaround").replace("  }", f"    {line}\n  }}", 1)
    project.replace("tiny.qf", "  stage finetune", text)
    outcome = project.run("--set", "rounds=0")
    assert outcome.code == 3
    assert "error[QF273]: `adaround` found no rounded weight in stage `fit`" in outcome.err
