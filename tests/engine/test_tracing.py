"""How a program's model is traced: `trace = example`, and models without stubs."""

import logging

import pytest

from tests.engine.conftest import Project

BRANCHES = "        image = image if image.mean() > -10 else -image\n"


def branching(project: Project) -> None:
    project.replace("tiny/model.py", "        x = self.relu", f"{BRANCHES}        x = self.relu")


def test_a_branch_on_data_says_how_to_follow_an_example(project: Project) -> None:
    branching(project)
    outcome = project.lock()
    assert outcome.code != 0
    assert "QF314" in outcome.text
    assert "trace = example" in outcome.text


def test_a_branch_on_data_is_followed_and_said(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    project.lock()
    before = (project.folder / "tiny.qf.lock").read_text()
    branching(project)
    project.replace("tiny.qf", '"tiny.model:net"', '"tiny.model:net"; trace = example')
    with caplog.at_level(logging.INFO, "qflow"):
        assert project.lock().code == 0
    (said,) = {r.getMessage() for r in caplog.records if "QF226" in r.getMessage()}
    assert said.startswith("QF226 warning: `forward` needs the value of a tensor")
    after = (project.folder / "tiny.qf.lock").read_text()

    def inventory(text: str) -> list[str]:
        return [x for x in text.splitlines() if x.startswith(("module", "edge", "input", "output"))]

    def digest(text: str) -> str:
        return next(x for x in text.splitlines() if x.startswith("traced"))

    # the way of the example is the model as it was, but the lock knows how it was found
    assert inventory(before) == inventory(after)
    assert digest(before) != digest(after)


def test_a_model_without_stubs_runs(project: Project) -> None:
    for stub in ("QuantStub()", "DeQuantStub()"):
        project.replace("tiny/model.py", f" = {stub}", " = nn.Identity()")
    project.lock()
    outcome = project.run()
    assert outcome.code == 0, outcome.text
    lock = (project.folder / "tiny.qf.lock").read_text()
    assert "module   _generated_quant_0" in lock
    assert "module   _generated_dequant_0" in lock
