"""A table that a rule needs: measured by `run` where it is missing, kept, gone on with, warned of."""

import json
from pathlib import Path

import pytest

from qflow.engine import sensitivity
from qflow.plan.sensitivity import read
from tests.engine.conftest import Project

BLOCK = """
sensitivity sens {
  data      = calib
  metric    = cosine
  candidate = w8a8
  table     = "tables/tiny.sens.json"
}

quantize {
  default use w8a8 with { act.dtype = act }
  match sensitive(sens, top = 1) patch { act.observer = mse }
}
"""
RULES = """
quantize {
  default use w8a8 with { act.dtype = act }
}
"""


@pytest.fixture
def sensitive(project: Project) -> Project:
    project.replace("tiny.qf", RULES, BLOCK)
    assert project.lock().code == 0
    return project


def table(project: Project) -> Path:
    return project.folder / "tables" / "tiny.sens.json"


def test_run_measures_what_is_missing_and_plans_with_it(sensitive: Project) -> None:
    before = sensitive.call("check", str(sensitive.program))
    assert before.code == 0
    assert "QF280" in before.out
    assert "undecided until then are `quant`, `conv`, `relu`" in before.out
    outcome = sensitive.run()
    assert outcome.code == 0, outcome.text
    assert "QF280" not in outcome.text
    assert "module evaluations" in outcome.out
    found = read(table(sensitive))
    assert found.origin.metric == "cosine"
    assert found.evaluations < found.brute_force
    most = found.rows[0].op_name
    plan = (sensitive.out / "plan.txt").read_text()
    line = next(x for x in plan.splitlines() if x.split()[:1] == [most])
    assert "mse" in line
    assert [p.name for p in table(sensitive).parent.iterdir()] == ["tiny.sens.json"]
    after = sensitive.call("check", str(sensitive.program))
    assert (after.code, "nothing to say" in after.out) == (0, True)
    assert sensitive.call("plan", str(sensitive.program)).out == plan


def test_a_table_that_is_there_is_taken_as_it_is(sensitive: Project) -> None:
    sensitive.run()
    whole = table(sensitive).read_text()
    head, first, *rest = whole.splitlines(keepends=True)
    table(sensitive).write_text("".join([head, *rest]))
    outcome = sensitive.run()
    assert outcome.code == 0
    assert "evaluations" not in outcome.out
    assert table(sensitive).read_text() == "".join([head, *rest])
    assert json.loads(first)["address"] != json.loads(rest[0])["address"]


def test_without_a_lock_it_is_measured_too(sensitive: Project) -> None:
    sensitive.run()
    text = table(sensitive).read_text()
    table(sensitive).unlink()
    (sensitive.folder / "tiny.qf.lock").unlink()
    outcome = sensitive.run()
    assert outcome.code == 0, outcome.text
    assert table(sensitive).read_text() == text


def test_other_weights_are_said_and_change_nothing(sensitive: Project) -> None:
    sensitive.run()
    text = table(sensitive).read_text()
    head, rest = text.split("\n", 1)
    changed = json.loads(head) | {"weights": "0" * 64}
    table(sensitive).write_text(json.dumps(changed) + "\n" + rest)
    outcome = sensitive.run()
    assert outcome.code == 0
    assert "QF231" in outcome.text
    assert "since then changed the weights" in outcome.text


def test_a_changed_candidate_is_said_by_check(sensitive: Project) -> None:
    sensitive.run()
    sensitive.replace("tiny.qf", "candidate = w8a8", "candidate = w8a16")
    found = sensitive.call("check", str(sensitive.program))
    assert found.code == 0
    assert "since then changed the qconfig of the candidate" in found.out


def test_interrupted_and_gone_on(sensitive: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    sensitive.run()
    whole = table(sensitive).read_text()
    table(sensitive).unlink()
    show = sensitivity._Bar.show

    def stop(self: object, done: int, total: int | None, address: str) -> None:
        if done == 9:
            raise KeyboardInterrupt

    monkeypatch.setattr(sensitivity._Bar, "show", stop)
    outcome = sensitive.run()
    assert outcome.code == 130
    assert [p.name for p in table(sensitive).parent.iterdir()] == [".tiny.sens.json.partial"]
    counted: list[int] = []

    def count(self: sensitivity._Bar, done: int, total: int | None, address: str) -> None:
        counted.append(done)
        show(self, done, total, address)

    monkeypatch.setattr(sensitivity._Bar, "show", count)
    assert sensitive.run().code == 0
    assert counted[0] == 10
    assert rows(table(sensitive).read_text()) == rows(whole)
    assert [p.name for p in table(sensitive).parent.iterdir()] == ["tiny.sens.json"]


def rows(text: str) -> list[str]:
    return text.splitlines()[1:]


def test_a_part_of_the_samples(sensitive: Project) -> None:
    sensitive.replace("tiny.qf", '.sens.json"\n', '.sens.json"\n  samples   = 4\n')
    outcome = sensitive.run()
    assert outcome.code == 0, outcome.text
    assert "on 4 samples" in outcome.out


def test_a_folder_that_cannot_be_written(sensitive: Project) -> None:
    (sensitive.folder / "tables").write_text("a file where a folder should be")
    outcome = sensitive.run()
    assert outcome.code in (2, 3)
    assert "QF316" in outcome.text


def test_a_candidate_the_march_cannot_do(sensitive: Project) -> None:
    sensitive.replace("tiny.qf", "candidate = w8a8", "candidate = half")
    sensitive.replace(
        "tiny.qf", "\nquantize {", "\nqconfig half { base = w8a8; act.dtype = int4 }\n\nquantize {"
    )
    outcome = sensitive.run()
    assert outcome.code == 2
    assert "QF501" in outcome.text or "QF1" in outcome.text
