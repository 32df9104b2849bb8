"""Programs of other shapes: less in them, more in them, the user's own code in them."""

from collections.abc import Iterator

import pytest

from qflow.engine.data import DataSet
from qflow.engine.training import train
from tests.engine.conftest import Project


def without(text: str, *starts: str) -> str:
    """A program without the blocks that begin with these words."""
    blocks = text.split("\n\n")
    return "\n\n".join(b for b in blocks if not b.startswith(starts))


CALIBRATE_ONLY = """

data calib { loader = "tiny.data:unlabelled"; batch = 4 }

schedule {
  stage calibrate on calib {
    state "**" = calibration
  }
}
"""


def test_a_program_that_only_calibrates(project: Project) -> None:
    text = without(project.program.read_text(), "data", "schedule", "check", "export")
    project.write("tiny.qf", text.rstrip() + CALIBRATE_ONLY)
    more = "\n\ndef unlabelled():\n    return [image for image, _ in samples(8)]\n"
    project.write("tiny/data.py", (project.folder / "tiny/data.py").read_text() + more)
    outcome = project.run()
    assert outcome.code == 0, outcome.text
    found = project.summary()
    assert list(found["stages"]) == [
        "calibrate",
        "convert",
        "observe",
        "prepare",
        "trace",
        "verify",
    ]
    assert found["metrics"] == {}
    assert found["oracle"]["mismatches"] == 0
    assert found["data"] == {"name": "calib", "samples": 8}
    assert "onnxruntime" not in found
    assert not (project.out / "export").exists()
    assert "accuracy" not in outcome.out


def test_an_export_that_is_taken_out_leaves_the_folder(finished: Project) -> None:
    finished.write("tiny.qf", without(finished.program.read_text(), "export"))
    assert finished.run().code == 0
    assert not (finished.out / "export").exists()


def test_claims_on_other_data_are_measured_there(project: Project) -> None:
    project.replace("tiny.qf", "== true on val", "== true on calib")
    assert project.run().code == 0
    assert project.summary()["data"] == {"name": "val", "samples": 16}
    assert project.summary()["checks"][1]["verdict"] == "holds"


def test_the_users_own_loss_is_part_of_the_key(project: Project) -> None:
    project.replace("tiny.qf", "loss = cross_entropy", 'loss = "tiny.losses:Mine"')
    source = """
class Mine:
    def __call__(self, outputs, target):
        return (outputs["logits"] ** 2).mean() * 1.0
"""
    project.write("tiny/losses.py", source)
    assert project.run().code == 0
    before = project.results()
    project.write("tiny/losses.py", source.replace("1.0", "3.0"))
    assert project.run().code == 0
    assert not project.how()["finetune"]
    assert project.how()["calibrate"]
    assert project.results() != before


def test_every_address_without_data_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = DataSet.batches

    def none_in_stages(self: DataSet, **more: int) -> Iterator[object]:
        # what was read before the stages is counted, what a stage asks for is not there
        if "digest" not in vars(self):
            yield from original(self, **more)

    monkeypatch.setattr(DataSet, "batches", none_in_stages)
    outcome = project.run()
    assert outcome.code == 3
    assert outcome.err.count("error[QF401]") == 4
    for address in ("quant", "conv", "pool", "head"):
        assert f"no data reached the observer of `{address}`" in outcome.err
    assert "tiny.qf:23:" in outcome.err


def test_training_that_is_interrupted_leaves_no_trace_of_it(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = finished.results()

    def interrupted(*more: object) -> object:
        train(*more)
        raise KeyboardInterrupt

    monkeypatch.setattr("qflow.engine.stages.schedule.train", interrupted)
    assert finished.run("--from", "finetune").code == 130
    assert not list(finished.out.rglob("*.unfinished*"))
    monkeypatch.undo()
    assert finished.run("--from", "finetune").code == 0
    assert finished.results() == before


def test_a_model_that_is_a_module_already(project: Project) -> None:
    project.replace("tiny.qf", "tiny.model:net", "tiny.model:Net")
    assert project.run().code == 0


def test_arguments_of_the_model(project: Project) -> None:
    project.replace("tiny.qf", '"tiny.model:net"\n', '"tiny.model:net"\n  args = {width: 6}\n')
    assert project.run().code == 0
    assert "1->6" in project.lock("--check").out or project.lock().code == 0
    assert "1->6 k3" in (project.folder / "tiny.qf.lock").read_text()


def test_an_output_on_a_grid_is_counted_in_its_own_steps(project: Project) -> None:
    """Behind a relu there is no accumulator to keep: the output has a scale."""
    project.replace(
        "tiny/model.py", "self.relu = nn.ReLU()", "self.relu = nn.ReLU(); self.end = nn.ReLU()"
    )
    project.replace("tiny/model.py", "(self.head(self", "(self.end(self.head(self")
    project.replace("tiny/model.py", "self.pool(x))))", "self.pool(x)))))")
    outcome = project.run()
    assert outcome.code == 0, outcome.text
    distance = project.summary()["onnxruntime"]["max_steps"]
    assert distance in (0.0, 1.0), "whole steps on a grid"
