"""`qflow run` on bad input: the right id at the right place, the right exit code, nothing half-written."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.engine.conftest import Outcome, Project


def checkpoint(project: Project, name: str) -> None:
    project.replace("tiny.qf", '"tiny.model:net"\n', f'"tiny.model:net"\n  checkpoint = "{name}"\n')


def assert_refused(project: Project, outcome: Outcome, code: int, *says: str) -> None:
    """The exit code, the words, and a folder without anything that looks like a result."""
    assert outcome.code == code, outcome.text
    for text in says:
        assert text in outcome.err, outcome.err
    left = {p.name for p in project.out.rglob("*")} if project.out.exists() else set()
    assert not left & {"summary.json", "integer.safetensors", "export", "crash.txt"}
    assert not [n for n in left if "unfinished" in n]


def test_a_rule_that_matches_nothing(project: Project) -> None:
    project.replace("tiny.qf", "  default use", '  default use w8a8\n  match "cnov" use')
    # two defaults would be another mistake
    project.replace("tiny.qf", "use w8a8 with { act.dtype = act }", "use w8a8")
    project.lock()
    outcome = project.run()
    assert_refused(project, outcome, 2, "error[QF201]", "tiny.qf:20:9", "`conv`")
    assert not project.out.exists()


def test_an_unknown_observer(project: Project) -> None:
    project.replace("tiny.qf", "{ act.dtype = act }", "{ act.observer = mes }")
    project.lock()
    assert_refused(project, project.run(), 2, "error[QF110]", "`mse`", "tiny.qf:19:")


def test_every_compile_error_at_once_without_a_lock_too(project: Project) -> None:
    project.replace("tiny.qf", "lr = 1e-2", "lr = -1")
    project.replace("tiny.qf", "opset = 21", "opset = 3")
    project.replace("tiny.qf", "accuracy_drop(integer)", "accuracy_drop(nothing)")
    outcome = project.run()
    assert_refused(project, outcome, 2, "error[QF111]: `lr` must be above 0")


def test_a_mistake_of_syntax(project: Project) -> None:
    project.replace("tiny.qf", "lr = 1e-2", "lr : 1e-2")
    assert_refused(project, project.run(), 2, "error[QF101]", "tiny.qf:27:")
    assert not project.out.exists()


def test_a_missing_file(project: Project) -> None:
    project.program.unlink()
    assert_refused(project, project.run(), 2, "error[QF302]")


def test_a_checkpoint_with_other_keys(project: Project) -> None:
    checkpoint(project, "w.safetensors")
    save_file(
        {"conv.weight": torch.zeros(4, 1, 3, 3), "body.weight": torch.zeros(1)},
        project.folder / "w.safetensors",
    )
    assert_refused(
        project,
        project.run(),
        2,
        "error[QF310]",
        "tiny.qf:8:",
        "body: unexpected `weight`",
        "conv: missing `bias`",
        "head: missing `bias`, `weight`",
    )


def test_a_pickle_that_is_not_plain_weights(project: Project) -> None:
    checkpoint(project, "w.pt")
    torch.save({"model": torch.nn.Linear(1, 1)}, project.folder / "w.pt")
    assert_refused(project, project.run(), 2, "error[QF311]", "tiny.qf:8:", "safetensors")


def test_no_checkpoint_there(project: Project) -> None:
    checkpoint(project, "gone.safetensors")
    assert_refused(project, project.run(), 2, "error[QF302]", "tiny.qf:8:")


def test_a_forward_that_branches_on_data(project: Project) -> None:
    project.replace(
        "tiny/model.py",
        "        x = self.relu",
        "        if image.sum() > 0:\n            image = -image\n        x = self.relu",
    )
    assert_refused(project, project.run(), 2, "error[QF314]", "if image.sum() > 0:", "model.py:")


def test_an_input_of_the_wrong_shape(project: Project) -> None:
    project.replace("tiny/data.py", "randn(count, 1, 4, 4", "randn(count, 1, 5, 4")
    assert_refused(
        project, project.run(), 2, "error[QF313]", "of sample ", "float32[1, 5, 4]", "calib"
    )


def test_an_input_the_model_cannot_take(project: Project) -> None:
    project.replace("tiny.qf", "float32[N, 1, 4, 4]", "float32[N, 3, 4, 4]")
    assert_refused(project, project.run(), 2, "error[QF313]", "tiny.qf:8:", "`conv`")


def test_an_empty_calibration_set(project: Project) -> None:
    project.replace("tiny/data.py", "return samples(24, seed=1)", "return []")
    assert_refused(project, project.run(), 2, "error[QF404]", "tiny.qf:14:", "`calib` is empty")


def test_fewer_samples_than_asked_for_is_said(project: Project) -> None:
    project.replace("tiny/data.py", "samples(24, seed=1)", "samples(12, seed=1)")
    outcome = project.run()
    assert outcome.code == 0
    assert "warning[QF404]: data `calib` has 12 samples, 16 were asked for" in outcome.err


def test_nan_in_the_data(project: Project) -> None:
    project.replace(
        "tiny/data.py",
        "    return [(image",
        "    images[5, 0, 0, 0] = float('nan')\n    return [(image",
    )
    assert_refused(project, project.run(), 2, "error[QF403]", "sample 5")


def test_nan_in_activations(project: Project) -> None:
    project.replace(
        "tiny/model.py",
        "        self.dequant =",
        "        nn.init.constant_(self.head.bias, float('nan'))\n        self.dequant =",
    )
    outcome = project.run()
    assert_refused(project, outcome, 3, "error[QF403]", "`head`", "`calibrate`", "tiny.qf:23:")


def test_a_loss_that_diverges(project: Project) -> None:
    project.replace("tiny.qf", "lr = 1e-2", "lr = 1e30")
    project.replace("tiny.qf", "cross_entropy", '"tiny.data:Unstable"')
    project.write(
        "tiny/data.py",
        (project.folder / "tiny/data.py").read_text()
        + """

class Unstable:
    def __call__(self, outputs, target):
        return outputs["logits"].sum() * float("inf")
""",
    )
    assert_refused(project, project.run(), 3, "error[QF403]", "`finetune` is not finite in epoch 1")


def test_a_loader_that_raises_has_its_traceback_in_the_log(project: Project) -> None:
    project.replace("tiny/data.py", "return samples(16, seed=2)", "raise OSError('disk gone')")
    outcome = project.run()
    assert_refused(project, outcome, 3, "error[QF312]", "OSError: disk gone", "data.py:", "log.txt")
    log = (project.out / "log.txt").read_text()
    assert "Traceback" in log
    assert ", in validation" in log
    assert "Traceback" not in outcome.text


def test_a_model_that_raises(project: Project) -> None:
    project.replace("tiny/model.py", "return Net(width)", "raise RuntimeError('no such width')")
    assert_refused(project, project.run(), 3, "error[QF312]", "RuntimeError: no such width")


def test_entry_points_that_do_not_exist(project: Project) -> None:
    project.replace("tiny.qf", "tiny.model:net", "tiny.model:nett")
    assert_refused(project, project.run(), 2, "error[QF312]", "`tiny.model` has no `nett`", "`net`")
    project.replace("tiny.qf", "tiny.model:nett", "tinny.model:net")
    assert_refused(project, project.run(), 2, "error[QF312]", "no module `tinny`")


def test_what_is_not_a_model(project: Project) -> None:
    project.replace("tiny/model.py", "return Net(width)", "return 5")
    assert_refused(project, project.run(), 2, "error[QF312]", "returned a int, not a torch module")


def test_training_on_data_without_targets_is_said_before_any_work(project: Project) -> None:
    project.replace("tiny/data.py", "return [(image, int(label)) for", "return [image for")
    outcome = project.run()
    assert_refused(
        project, outcome, 2, "error[QF315]", "`train` has no targets", "`val` has no targets"
    )
    assert "calibrate" not in outcome.out


def test_a_setting_the_optimizer_does_not_have(project: Project) -> None:
    project.replace("tiny.qf", "optimizer = sgd", "optimizer = adam; momentum = 0.9")
    outcome = project.run()
    assert_refused(project, outcome, 2, "error[QF112]: optimizer `adam` has no `momentum`", "`lr`")


def test_targets_the_metric_cannot_take(project: Project) -> None:
    project.replace("tiny/data.py", "int(label))", "torch.stack([label, label]))")
    project.replace("tiny.qf", "rounds: int   = 1", "rounds: int   = 0")
    assert_refused(project, project.run(), 3, "error[QF315]", "the targets are [8, 2]")


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbf%s", b"%s"])
def test_bom_crlf_and_no_last_newline_are_accepted(project: Project, raw: bytes) -> None:
    text = project.program.read_bytes().rstrip(b"\n").replace(b"\n", b"\r\n")
    project.program.write_bytes(raw.replace(b"%s", text))
    assert project.run().code == 0


def test_an_unwritable_folder_is_said_before_any_work(project: Project) -> None:
    (project.folder / "file").write_text("")
    outcome = project.run("--out", str(project.folder / "file" / "run"))
    assert outcome.code == 2
    assert "error[QF316]" in outcome.err
    assert "trace" not in outcome.out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(project: Project) -> None:
    (project.folder / "locked").mkdir(mode=0o555)
    outcome = project.run("--out", str(project.folder / "locked" / "run"))
    assert (outcome.code, "error[QF316]" in outcome.err) == (2, True)


def test_a_stale_lock_names_what_changed(project: Project) -> None:
    assert project.lock().code == 0
    project.replace("tiny/model.py", "width=4", "width=8")
    outcome = project.run()
    assert_refused(project, outcome, 2, "error[QF301]", "qflow lock", "1->8 k3", "1->4 k3")


def test_a_lock_of_another_declaration_is_refused_before_torch(project: Project) -> None:
    assert project.lock().code == 0
    project.replace("tiny.qf", "float32[N, 1, 4, 4]", "float32[N, 1, 6, 6]")
    outcome = project.run()
    assert_refused(project, outcome, 2, "error[QF301]", "tiny.qf:6")
    assert not project.out.exists()


def test_a_lock_that_fits_is_silent(project: Project) -> None:
    project.lock()
    outcome = project.run()
    assert outcome.code == 0
    assert "QF3" not in outcome.text
    assert project.summary()["diagnostics"] == []


def test_the_default_folder_is_below_the_current_one(project: Project) -> None:
    assert project.call("run", str(project.program)).code == 0
    assert Path("runs/tiny/summary.json").exists()
    assert project.call("run", str(project.program)).code == 0


def test_two_runs_in_one_folder(project: Project) -> None:
    from qflow.engine.folder import RunFolder

    with RunFolder(project.out).open():
        assert_refused(project, project.run(), 2, "error[QF319]", "another run")


def test_a_wrong_set(project: Project) -> None:
    assert_refused(project, project.run("--set", "act=int4"), 2, "error[QF111]")
    assert_refused(project, project.run("--set", "acts=int8"), 2, "error[QF110]")


def test_errors_as_json(project: Project) -> None:
    project.replace("tiny/data.py", "return samples(24, seed=1)", "return []")
    outcome = project.run("--format", "json")
    assert outcome.code == 2
    found = json.loads(outcome.out)["diagnostics"]
    assert [d["code"] for d in found] == ["QF304", "QF404"]


def test_a_bug_of_ours_is_exit_4_with_its_traceback_kept(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("qflow.engine.publish.results", broken)
    outcome = project.run()
    assert outcome.code == 4
    assert "ZeroDivisionError: ours" in (project.out / "crash.txt").read_text()
    assert not (project.out / "summary.json").exists()


def test_an_earlier_summary_does_not_outlive_a_failed_run(project: Project) -> None:
    project.run()
    project.replace("tiny.qf", "lr = 1e-2", "lr = 2e-2")
    project.replace(
        "tiny/model.py",
        "        self.dequant =",
        "        nn.init.constant_(self.head.bias, float('nan'))\n        self.dequant =",
    )
    assert project.run().code == 3
    assert not (project.out / "summary.json").exists()
