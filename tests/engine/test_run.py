"""Runs of a tiny pipeline: what is made, what is reused, and what makes a stage run again."""

import json
import re

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.engine.conftest import Project

STAGES = [
    "trace",
    "prepare",
    "observe",
    "calibrate",
    "finetune",
    "evaluate",
    "convert",
    "export",
    "verify",
]


def ran(project: Project) -> list[str]:
    """Stages of the last run that were not reused."""
    how = project.how()
    return [name for name in STAGES if name in how and not how[name]]


def test_a_run_makes_everything_and_says_so(project: Project) -> None:
    outcome = project.run()
    assert outcome.code == 0, outcome.text
    found = project.summary()
    assert list(found) == sorted(found)
    assert set(found["stages"]) == set(STAGES)
    assert ran(project) == STAGES
    for lane in ("float", "fake_quant", "integer", "onnxruntime"):
        assert 0 <= found["metrics"][lane]["accuracy"] <= 1
    assert found["oracle"]["mismatches"] == 0
    assert found["oracle"]["integers"] > 1000
    assert found["onnxruntime"]["max_steps"] <= 1
    assert found["onnxruntime"]["same_class"] == 1.0
    assert found["integer"]["coverage"]["multiply_accumulates"]["share"] == 1.0
    assert [c["verdict"] for c in found["checks"]] == ["holds", "holds", "holds"]
    assert found["diagnostics"] == ["QF304"]
    files = {p.name for p in project.out.iterdir()}
    assert files == {
        ".lock", "cache", "environment.json", "export", "integer.safetensors", "log.txt",
        "logical.safetensors", "plan.json", "plan.txt", "summary.json",
    }  # fmt: skip
    assert {p.name for p in (project.out / "export").iterdir()} == {"tiny.onnx", "tiny.names.json"}


def test_what_people_see(project: Project) -> None:
    project.lock()
    out = project.run().out
    for word in ("float model", "integer, fast path", "onnxruntime", "accuracy", "holds"):
        assert word in out
    assert re.search(r"fast path, oracle +differ in 0 of [\d,]+ integers", out)
    assert re.search(r"finetune +epoch 1/1  loss \d", out)
    assert "\x1b" not in out
    log = (project.out / "log.txt").read_text()
    assert "epoch 1/1" in log
    assert "float model" in log


def test_a_second_run_reuses_all_but_the_trace(finished: Project) -> None:
    first, results = finished.untimed(), finished.results()
    outcome = finished.run()
    assert outcome.code == 0
    assert ran(finished) == ["trace"]
    assert outcome.out.count("reused") >= 2 * (len(STAGES) - 1)
    second = finished.untimed()
    assert first.pop("stages") != second.pop("stages")
    assert first == second
    assert finished.results() == results


def test_nothing_in_the_folder_tells_where_or_when(finished: Project) -> None:
    for name in ("summary.json", "plan.json", "plan.txt", "environment.json"):
        text = (finished.out / name).read_text()
        assert str(finished.folder) not in text, name
    assert "seconds" not in json.dumps(finished.untimed())


def test_two_folders_have_the_same_bytes(finished: Project) -> None:
    first, results = finished.untimed(), finished.results()
    finished.run("--out", str(finished.folder / "other"))
    again = json.loads((finished.folder / "other" / "summary.json").read_text())
    for stage in again["stages"].values():
        del stage["seconds"]
    assert again == first
    for name in ("integer.safetensors", "logical.safetensors"):
        assert (finished.folder / "other" / name).read_bytes() == results[name]


@pytest.mark.parametrize(
    ("change", "first"),
    [
        (("tiny.qf", "qflow 1\n", "qflow 1\n# a comment\n\n"), None),
        (("tiny/model.py", "class Net", "# a comment\nclass Net"), None),
        (("tiny/data.py", "mean decides", "mean values decide"), None),
        (("tiny/model.py", "width=4", "width=8"), "prepare"),
        (("tiny/model.py", "padding=1", "padding=0"), "prepare"),
        (("tiny/data.py", "samples(24, seed=1)", "samples(24, seed=5)"), "observe"),
        (("tiny.qf", "batch = 4; seed = 3", "batch = 4; seed = 4"), "observe"),
        (("tiny.qf", "lr = 1e-2", "lr = 2e-2"), "finetune"),
        (("tiny.qf", "rounds: int   = 1", "rounds: int   = 2"), "finetune"),
        (("tiny/data.py", "samples(16, seed=2)", "samples(17, seed=2)"), "evaluate"),
        (("tiny.qf", "opset = 21", "opset = 22"), "export"),
        (("tiny.qf", "<= 1.0 on val", "<= 0.9 on val"), "verify"),
    ],
    ids=lambda c: c[2] if isinstance(c, tuple) else c,
)
def test_a_change_reaches_the_stages_that_read_it(
    finished: Project, change: tuple[str, str, str], first: str | None
) -> None:
    finished.replace(*change)
    outcome = finished.run()
    assert outcome.code == 0, outcome.text
    made = ran(finished)
    assert made[0] == "trace"
    assert (made[1:2] or [None]) == [first]


def test_new_data_of_the_same_result_stops_mattering(finished: Project) -> None:
    """Evaluation changes no weight: the integers made from it are taken over."""
    finished.replace("tiny/data.py", "samples(16, seed=2)", "samples(17, seed=2)")
    finished.run()
    assert ran(finished) == ["trace", "evaluate", "verify"]


def test_from_makes_a_stage_and_all_later_ones_again(finished: Project) -> None:
    before = finished.results()
    assert finished.run("--from", "evaluate").code == 0
    assert ran(finished) == ["trace", "evaluate", "convert", "export", "verify"]
    assert finished.results() == before


def test_from_a_stage_there_is_not(project: Project) -> None:
    project.lock()
    outcome = project.run("--from", "finetun")
    assert outcome.code == 2
    assert "QF110" in outcome.err
    assert "the nearest is `finetune`" in outcome.err
    assert not project.out.exists()


def test_set_changes_a_param(project: Project) -> None:
    assert project.run("--set", "act=int16", "--set", "rounds=0").code == 0
    found = project.summary()
    assert found["params"] == {"act": "int16", "rounds": 0}
    assert "finetune" not in found["stages"]
    assert found["oracle"]["mismatches"] == 0


def test_a_damaged_artifact_is_made_again(finished: Project) -> None:
    before = finished.results()
    (state,) = finished.out.glob("cache/finetune-*/state.safetensors")
    raw = bytearray(state.read_bytes())
    raw[-1] ^= 1
    state.write_bytes(raw)
    outcome = finished.run()
    assert outcome.code == 0
    assert "finetune    the artifact is damaged (`state.safetensors` was changed)" in outcome.out
    assert ran(finished) == ["trace", "finetune"]
    assert finished.results() == before


def test_results_can_be_read_without_torch_or_qflow(finished: Project) -> None:
    arrays = load_file(finished.out / "integer.safetensors")
    kinds = {a.dtype.kind for a in arrays.values()}
    assert "i" in kinds
    assert not any(a.dtype == np.object_ for a in arrays.values())
    assert not list(finished.out.rglob("*.pkl"))
    assert {p.suffix for p in finished.out.glob("cache/*/*")} <= {".json", ".safetensors", ".onnx"}


def test_training_goes_down(project: Project) -> None:
    project.run("--set", "rounds=3")
    (result,) = project.out.glob("cache/finetune-*/result.json")
    losses = json.loads(result.read_text())["losses"]
    assert len(losses) == 3
    assert losses[-1] < losses[0]


def test_a_false_assert_is_exit_1_and_everything_is_there(project: Project) -> None:
    project.replace("tiny.qf", "assert no scale == 1.0", "assert accuracy(integer) >= 1.1 on val")
    outcome = project.run()
    assert outcome.code == 1
    assert "QF402" in outcome.err
    line = (
        project.program.read_text().splitlines().index("  assert accuracy(integer) >= 1.1 on val")
    )
    assert f"tiny.qf:{line + 1}:" in outcome.err
    assert project.summary()["checks"][0]["verdict"] == "fails"
    assert "QF402" in project.summary()["diagnostics"]
    assert project.run().code == 1, "the answer is the same when all is reused"


def test_a_false_warn_is_printed_and_exit_0(project: Project) -> None:
    project.replace("tiny.qf", "<= 1.0 on val", "<= -1.0 on val")
    outcome = project.run()
    assert outcome.code == 0
    assert "warning[QF402]" in outcome.err
    assert project.summary()["checks"][2]["verdict"] == "warning"


def test_a_scale_claim_names_the_scales(project: Project) -> None:
    project.replace("tiny.qf", "assert no scale == 1.0", "warn no scale > 0.0")
    project.run()
    value = project.summary()["checks"][0]["value"]
    assert value.startswith("0 of 5 scales, not quant act, not conv act")


def test_machine_format_is_one_document(project: Project) -> None:
    project.replace("tiny.qf", "<= 1.0 on val", "<= -1.0 on val")
    outcome = project.run("--format", "json")
    assert outcome.code == 0
    assert [d["code"] for d in json.loads(outcome.out)["diagnostics"]] == ["QF304", "QF402"]
    assert "float model" in outcome.err


def test_a_run_leaves_no_state(finished: Project) -> None:
    assert not (finished.out / "state.json").exists()
    assert not list(finished.out.rglob("*.unfinished*"))


def test_a_run_refuses_an_output_of_another_shape(project: Project) -> None:
    project.replace("tiny.qf", "logits: float32[N, 2]}\n}", "logits: float32[N, 3]}\n}")
    found = project.run()
    assert (found.code, "QF312" in found.text) == (2, True)
    assert "returns `logits` as [2, 2], where float32[N, 3] is declared" in found.text
    assert project.lock().code == 2


def test_a_warning_of_the_lowering_with_notes_is_shown_also_when_reused(project: Project) -> None:
    project.replace("tiny/model.py", "nn.Linear(width, 2)", "nn.Linear(300, 2)")
    project.replace("tiny/model.py", "net(width=4)", "net(width=300)")
    project.replace("tiny.qf", "w8a8 with { act.dtype = act }", "w16a16")
    for _ in range(2):
        found = project.run("--set", "rounds=0")
        assert (found.code, "QF507" in found.text) == (0, True)


def test_an_operator_in_a_form_without_integers_is_refused_with_the_reason(
    project: Project,
) -> None:
    project.replace(
        "tiny/model.py",
        "self.relu(self.conv(self.quant(image)))",
        "self.relu(self.conv(self.quant(image))) / 0",
    )
    found = project.run()
    assert (found.code, "this `div` has no integer form" in found.text) == (2, True)


def test_an_export_refuses_a_form_it_does_not_know(project: Project) -> None:
    project.replace(
        "tiny/model.py",
        "self.relu(self.conv(self.quant(image)))",
        "self.relu(self.conv(self.quant(image))) + 1",
    )
    project.replace("tiny.qf", "opset = 21", "opset = 17")
    found = project.run()
    assert found.code == 3
    assert "does not know the operator `add` of `_generated_add_0`" in found.text
    assert "in integers it needs opset 18" in found.text


def test_an_output_with_the_name_of_an_input_is_refused(project: Project) -> None:
    project.replace("tiny.qf", "output = {logits:", "output = {image:")
    found = project.run()
    assert (found.code, "QF114" in found.text) == (2, True)
    assert "`image` names an input and an output" in found.text
