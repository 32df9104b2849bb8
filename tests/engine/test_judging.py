"""Judged epochs: metrics by name and entry point, early stop, the best epoch."""

import json
from typing import Any

import pytest

from qflow.engine.judging import Course, Judge
from tests.engine.conftest import Project

FIELDS = "loss = cross_entropy; optimizer = sgd; lr = 1e-2"
METRICS = '''
class Given:
    """What each call returns, whatever the outputs."""

    values = [0.5, 0.9, 0.7, 0.9, 0.1]
    asked = 0

    def update(self, outputs, target):
        assert outputs["logits"].shape[0] == len(target)

    def result(self):
        Given.asked += 1
        return Given.values[Given.asked - 1]


class Error(Given):
    higher_is_better = False
'''


def result(project: Project) -> dict[str, Any]:
    (found,) = (p for p in project.out.glob("cache/finetune-*") if p.is_dir())
    return json.loads((found / "result.json").read_text())


def run(project: Project, more: str, rounds: int = 5) -> str:
    project.write("tiny/metrics.py", METRICS)
    project.replace("tiny.qf", FIELDS, f"{FIELDS}\n    {more}")
    outcome = project.run("--set", f"rounds={rounds}")
    assert outcome.code == 0, outcome.text
    return outcome.out


def test_it_stops_and_keeps_the_best(project: Project) -> None:
    more = 'validate = val; metric = "tiny.metrics:Given"; patience = 2; keep = best'
    out = run(project, more)
    found = result(project)
    assert found["values"] == [0.5, 0.9, 0.7, 0.9]
    assert (found["kept"], found["metric"], len(found["losses"])) == (1, "Given", 4)
    assert found["samples"] == 4 * 24
    assert "Given 90.00%  (best)" in out
    assert "stops: no better epoch since epoch 2" in out
    best = project.results()
    # the state that was kept is that of a training of two epochs
    project.out_name = project.folder / "two"
    project.write("tiny/metrics.py", METRICS)
    assert project.run("--set", "rounds=2").code == 0
    two = project.results()
    assert best["integer.safetensors"] == two["integer.safetensors"]


def test_lower_may_be_better(project: Project) -> None:
    run(project, 'validate = val; metric = "tiny.metrics:Error"; keep = best')
    assert result(project)["kept"] == 4


def test_the_metric_of_the_data_is_the_default(project: Project) -> None:
    out = run(project, "validate = val", rounds=2)
    found = result(project)
    assert (found["metric"], found["kept"], len(found["values"])) == ("accuracy", 1, 2)
    assert 0 <= found["values"][1] <= 1
    assert "epoch 2/2  loss" in out


def test_the_loss_on_other_data(project: Project) -> None:
    run(project, "validate = val; metric = loss; keep = best", rounds=2)
    found = result(project)
    assert found["metric"] == "loss"
    assert found["values"] != found["losses"]


def test_the_training_loss(project: Project) -> None:
    run(project, "metric = loss; patience = 1", rounds=2)
    found = result(project)
    assert found["values"] == found["losses"]


def test_judging_changes_nothing_else(project: Project) -> None:
    """The same weights come out with and without it, when the last epoch is kept."""
    assert project.run("--set", "rounds=2").code == 0
    before = project.results()
    run(project, "validate = val", rounds=2)
    after = project.results()
    assert before["integer.safetensors"] == after["integer.safetensors"]


def test_data_without_targets_cannot_judge(project: Project) -> None:
    more = "\n\ndef unlabelled():\n    return [image for image, _ in samples(8)]\n"
    project.write("tiny/data.py", (project.folder / "tiny/data.py").read_text() + more)
    project.replace(
        "tiny.qf", "quantize {", 'data bare { loader = "tiny.data:unlabelled" }\n\nquantize {'
    )
    project.replace("tiny.qf", FIELDS, f"{FIELDS}; validate = bare; metric = accuracy")
    outcome = project.run()
    assert outcome.code == 2
    assert "data `bare` has no targets" in outcome.err


@pytest.mark.parametrize(("patience", "ends"), [(None, False), (1, True), (2, True), (3, False)])
def test_patience(patience: int | None, ends: bool) -> None:
    judge = Judge("m", patience, False, True, None)
    assert judge.ends(Course([1.0] * 4, [0.1, 0.3, 0.3, 0.2], best=1)) is ends


BROKEN = """
import numpy as np


class Metric:
    def update(self, outputs, target):
        pass

    def result(self):
        return np.float32(0.5)


class Unmade(Metric):
    def __init__(self):
        raise RuntimeError("unmade")


class Unasked(Metric):
    def result(self):
        raise RuntimeError("unasked")


class Word(Metric):
    def result(self):
        return "good"


class Nan(Metric):
    def result(self):
        return float("nan")
"""


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("Unmade", 2, "error[QF312]: the metric `tiny.broken:Unmade` failed with RuntimeError"),
        ("Unasked", 3, "error[QF312]: the metric `tiny.broken:Unasked` failed with RuntimeError"),
        ("Word", 3, "error[QF312]: the metric `tiny.broken:Word` failed with ValueError"),
        ("Nan", 3, "error[QF403]: the result of the metric `tiny.broken:Nan` is not finite: nan"),
        ("Metric", 0, ""),
    ],
)
@pytest.mark.parametrize("judges", [True, False])
def test_a_metric_that_is_broken(
    project: Project, name: str, code: int, text: str, judges: bool
) -> None:
    """Said at its line, whether epochs or data are judged by it; a NumPy number is a number."""
    project.write("tiny/broken.py", BROKEN)
    written = f'metric = "tiny.broken:{name}"'
    if judges:
        project.replace("tiny.qf", FIELDS, f"{FIELDS}; validate = val; {written}; keep = best")
    else:
        project.replace("tiny.qf", "metric = accuracy", written)
    outcome = project.run()
    assert outcome.code == code, outcome.text
    assert text in outcome.err
    if code:
        lines = project.program.read_text().splitlines()
        at = next(i for i, line in enumerate(lines, 1) if written in line)
        assert f"tiny.qf:{at}:" in outcome.err


def test_a_validation_loss_that_is_not_finite(project: Project) -> None:
    loss = """
class Poison:
    def __call__(self, outputs, target):
        value = next(iter(outputs.values())).square().mean()
        return value if value.requires_grad else value * float("inf")
"""
    project.write("tiny/losses.py", loss)
    fields = FIELDS.replace("cross_entropy", '"tiny.losses:Poison"')
    project.replace("tiny.qf", FIELDS, f"{fields}; validate = val; metric = loss; keep = best")
    outcome = project.run()
    assert outcome.code == 3
    assert "QF403]: the loss on data `val` is not finite behind epoch 1" in outcome.err
