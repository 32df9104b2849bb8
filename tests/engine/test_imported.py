"""A pipeline that takes its target and qconfigs from another file: locked, run, changed."""

from tests.engine.conftest import Project

LIBRARY = """qflow 1

param act: dtype = int8 in [int8, int16]

target board { march = "nash-m" }
qconfig body { base = w8a8; act.dtype = act }
rules first { match "conv" patch { weight.observer = mse } }
"""


def test_an_imported_file_is_locked_and_a_change_of_it_is_noticed(project: Project) -> None:
    project.write("common.qf", LIBRARY)
    project.replace("tiny.qf", "qflow 1\n", 'qflow 1\n\nuse "common.qf" as house\n')
    board = 'target board { march = "nash-m"; unlisted = error }'
    project.replace("tiny.qf", board, "target house.board { unlisted = error }")
    rules = "default use w8a8 with { act.dtype = act }"
    project.replace("tiny.qf", rules, "default use house.body\n  apply house.first")
    assert project.lock().code == 0
    lock = project.program.with_name("tiny.qf.lock").read_text()
    assert "file     common.qf" in lock
    assert project.call("check", str(project.program), "--locked").code == 0
    assert project.call("lock", str(project.program), "--check").code == 0
    outcome = project.run("--set", "house.act=int16")
    assert outcome.code == 0, outcome.text
    plan = (project.out / "plan.txt").read_text()
    assert "param house.act = int16" in plan
    assert "common.qf:7" in plan
    project.replace("common.qf", "observer = mse", "observer = min_max")
    checked = project.call("check", str(project.program), "--locked")
    assert checked.code == 1
    assert "QF303" in checked.text
    assert project.call("lock", str(project.program), "--check").code == 1
