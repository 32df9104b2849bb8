"""GitRevision: files of a commit, whatever the working tree has."""

from pathlib import Path

import pytest

from qflow.compile.front import front
from qflow.compile.revision import GitRevision, working_pipelines
from qflow.diagnostics import QflowError
from tests.cli.pipeline import copy_case
from tests.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path)
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "ü.txt").write_bytes(b"\xef\xbb\xbfone\r\n")
    found.commit()
    (tmp_path / "a b" / "ü.txt").write_text("two")
    (tmp_path / "new.txt").write_text("new")
    return found


def test_files_of_the_commit(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository.folder
    sources = GitRevision(folder / "a b", "HEAD")
    file = folder / "a b" / "ü.txt"
    assert sources.text(file) == "one\n"
    assert sources.read(file) == b"\xef\xbb\xbfone\r\n"
    assert sources.size(file) == 8
    assert sources.exists(file)
    assert not sources.exists(folder / "new.txt")
    with pytest.raises(FileNotFoundError):
        sources.read(folder / "new.txt")
    with pytest.raises(QflowError, match=r"no file `new\.txt` in `HEAD`"):
        sources.text(folder / "new.txt", "new.txt")
    monkeypatch.chdir(folder / "a b")
    assert sources.text(Path("ü.txt")) == "one\n"
    assert sources.text(Path("../a b/ü.txt")) == "one\n"


def test_a_branch_that_moves_meanwhile(repository: Repository) -> None:
    sources = GitRevision(repository.folder, "main")
    repository.commit("another")
    assert sources.text(repository.folder / "a b" / "ü.txt") == "one\n"


def test_outside_of_the_repository(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sources = GitRevision(repository.folder, "HEAD")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x.qf"
    elsewhere.write_text("x")
    assert not sources.exists(elsewhere)


@pytest.mark.parametrize("name", ["nothing", "--help", "-x", "", "HEAD~9", "HEAD:a b", "a\0b"])
def test_no_such_revision(repository: Repository, name: str) -> None:
    with pytest.raises(QflowError, match="QF307"):
        GitRevision(repository.folder, name)


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(QflowError, match="QF307"):
        GitRevision(tmp_path, "HEAD")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(QflowError, match="QF307"):
        GitRevision(tmp_path, "HEAD")


def test_pipelines_and_what_changed(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    (tmp_path / "sub").mkdir()
    path = copy_case("int8", tmp_path / "sub")
    (tmp_path / "npu.qf").write_text("qflow 1\n")
    repository.commit()
    revision = GitRevision(tmp_path, "main")
    assert revision.pipelines() == {path} == working_pipelines(revision.root)
    assert revision.changed() == set()
    path.write_text(path.read_text() + "# more\n")
    copy_case("int8", tmp_path)
    assert revision.changed() == {path, tmp_path / "x.qf", tmp_path / "x.qf.lock"}
    assert working_pipelines(revision.root) == {path, tmp_path / "x.qf"}
    path.unlink()
    assert working_pipelines(revision.root) == {tmp_path / "x.qf"}


def test_front_reads_everything_from_it(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    path = copy_case("int8", tmp_path)
    repository.commit()
    expected = front(path, {}).plan
    path.write_text("qflow 1\n")
    path.with_name("x.qf.lock").unlink()
    found = front(path, {}, locked=True, sources=GitRevision(tmp_path, "HEAD"))
    assert found.diagnostics == ()
    assert found.plan == expected
