"""qflow sensitivity: measures, shows, converts, and says which block it means."""

import json
from pathlib import Path

import pytest

from qflow.plan.sensitivity import read
from tests.engine.conftest import Project
from tests.engine.test_sensitivity import BLOCK, RULES, table


@pytest.fixture
def sensitive(project: Project) -> Project:
    project.replace("tiny.qf", RULES, BLOCK)
    return project


def measured(project: Project, *more: str):
    return project.call("sensitivity", str(project.program), *more)


def test_the_table_lies_beside_the_file_and_on_the_screen(
    sensitive: Project, tmp_path: Path
) -> None:
    outcome = measured(sensitive, "sens", "--out", str(tmp_path / "tables"))
    assert outcome.code == 0, outcome.text
    lines = outcome.out.splitlines()
    assert lines[0] == "output logits"
    assert lines[1].split() == [
        "op_name",
        "sensitive_type",
        "op_type",
        "cosine",
        "quant_dtype",
        "flops",
    ]
    assert [line.split()[0] for line in lines[3:]] == [
        r.op_name for r in read(table(sensitive)).rows
    ]
    written = sorted(p.name for p in (tmp_path / "tables").iterdir())
    assert written == [
        "output_logits_cosine_sensitive_ops.pt",
        "output_logits_cosine_sensitive_ops.txt",
    ]
    again = measured(sensitive, "--format", "json")
    assert again.out == table(sensitive).read_text()
    assert all(json.loads(line) for line in again.out.splitlines())


def test_a_damaged_table_is_measured_anew(sensitive: Project) -> None:
    table(sensitive).parent.mkdir()
    table(sensitive).write_text("damaged")
    assert (
        sensitive.call("check", str(sensitive.program)).code == 0
    )  # without a lock nobody reads it
    sensitive.lock()
    assert sensitive.call("check", str(sensitive.program)).code == 1
    assert measured(sensitive).code == 0
    assert sensitive.call("check", str(sensitive.program)).code == 0


def test_another_table_is_taken_over(sensitive: Project, tmp_path: Path) -> None:
    import torch

    sensitive.lock()
    source = tmp_path / "field.pt"
    torch.save(
        [["conv", "activation", "Conv2d", torch.tensor(0.5)], ["head", "weight", "Linear", 0.9]],
        source,
    )
    outcome = measured(sensitive, "--from", str(source))
    assert outcome.code == 0, outcome.text
    assert [r.op_name for r in read(table(sensitive)).rows] == ["conv", "head"]
    assert {r.output for r in read(table(sensitive)).rows} == {"logits"}
    plan = sensitive.call("plan", str(sensitive.program)).out
    assert "mse" in next(x for x in plan.splitlines() if x.split()[:1] == ["conv"])
    source.write_text("nothing")
    assert measured(sensitive, "--from", str(source)).code == 2
    assert measured(sensitive, "--from", str(tmp_path / "none.pt")).code == 2


def test_which_block(sensitive: Project, project: Project) -> None:
    wrong = measured(sensitive, "sans")
    assert (wrong.code, "the nearest: `sens`" in wrong.err) == (2, True)
    second = 'sensitivity more { data = calib; metric = l1; candidate = w8a8; table = "m.json" }\n\nquantize {'
    sensitive.replace("tiny.qf", "quantize {", second)
    both = measured(sensitive)
    assert (both.code, "name one of `sens`, `more`" in both.err) == (2, True)
    assert measured(sensitive, "more").code == 0
    assert (sensitive.folder / "m.json").is_file()


def test_no_block(project: Project) -> None:
    outcome = measured(project)
    assert outcome.code == 2
    assert "has no `sensitivity` blocks" in outcome.err


def test_a_lock_that_does_not_fit_is_refused(sensitive: Project) -> None:
    sensitive.lock()
    sensitive.replace("tiny/model.py", "def net(width=4)", "def net(width=8)")
    outcome = measured(sensitive)
    assert outcome.code == 2
    assert "QF301" in outcome.err
