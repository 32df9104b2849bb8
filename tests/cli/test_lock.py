"""`qflow lock`: writes what the model is, says when that changed."""

from tests.engine.conftest import Project


def test_it_is_written_once_and_then_up_to_date(project: Project) -> None:
    first = project.lock()
    assert (first.code, "wrote" in first.out) == (0, True)
    path = project.folder / "tiny.qf.lock"
    text = path.read_text()
    assert "code     tiny/model.py" in text
    assert "module   conv " in text
    again = project.lock()
    assert (again.code, "up to date" in again.out) == (0, True)
    assert path.read_text() == text
    assert str(project.folder) not in text


def test_check_writes_nothing_and_says_what_differs(project: Project) -> None:
    path = project.folder / "tiny.qf.lock"
    outcome = project.lock("--check")
    assert outcome.code == 1
    assert not path.exists()
    project.lock()
    assert project.lock("--check").code == 0
    before = path.read_text()
    project.replace("tiny/model.py", "width=4", "width=8")
    outcome = project.lock("--check")
    assert outcome.code == 1
    assert "1->8 k3" in outcome.out
    assert "stale" in outcome.out
    assert path.read_text() == before


def test_a_checkout_with_other_line_ends_is_not_stale(project: Project) -> None:
    project.lock()
    path = project.folder / "tiny.qf.lock"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    model = project.folder / "tiny" / "model.py"
    model.write_bytes(model.read_bytes().replace(b"\n", b"\r\n"))
    assert project.lock("--check").code == 0


def test_the_weights_are_digested(project: Project) -> None:
    project.replace("tiny.qf", '"tiny.model:net"\n', '"tiny.model:net"\n  checkpoint = "w.bin"\n')
    outcome = project.lock()
    assert (outcome.code, "QF302" in outcome.err) == (2, True)
    assert not (project.folder / "tiny.qf.lock").exists()
    (project.folder / "w.bin").write_bytes(b"12345")
    assert project.lock().code == 0
    assert "5 bytes" in (project.folder / "tiny.qf.lock").read_text()


def test_errors_of_the_file_and_of_the_model(project: Project) -> None:
    project.replace("tiny.qf", "tiny.model:net", "tiny.model:nothing")
    outcome = project.lock()
    assert (outcome.code, "QF312" in outcome.err) == (2, True)
    project.replace("tiny.qf", "entry ", "entri ")
    outcome = project.lock()
    assert outcome.code == 2
    assert "QF112" in outcome.err
    assert not (project.folder / "tiny.qf.lock").exists()


def test_a_damaged_lock_is_replaced(project: Project) -> None:
    project.lock()
    path = project.folder / "tiny.qf.lock"
    text = path.read_text()
    path.write_text("<<<<<<< ours\n" + text)
    assert project.lock("--check").code == 1
    assert project.lock().code == 0
    assert path.read_text() == text


def test_a_lock_of_the_first_format_is_read_and_written_anew(project: Project) -> None:
    project.lock()
    path = project.folder / "tiny.qf.lock"
    new = path.read_text()
    path.write_text("qflow-lock 1\n")
    outcome = project.lock("--check")
    assert outcome.code == 1
    assert "`qflow-lock 1`" in outcome.out
    assert project.lock().code == 0
    assert path.read_text() == new


def test_what_changed_is_told_without_the_checks_of_its_neighbours(project: Project) -> None:
    project.lock()
    project.replace("tiny/model.py", "width=4", "width=8")
    told = project.lock("--check").out.splitlines()[:-1]
    assert told
    assert all(line[0] in "+-" for line in told)
    assert not any("~" in line for line in told)
    assert not any(line.split()[1:] == ["end"] for line in told)
