"""Artifacts, folders and state: whole, sound, and one run at a time."""

import json
from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.engine import files, state
from qflow.engine.cache import Cache
from qflow.engine.folder import RunFolder

KEY = "0123456789abcdef" * 4


def made(cache: Cache, text: str = "x") -> Path:
    folder = cache.start("convert", KEY)
    (folder / "sub").mkdir()
    (folder / "sub" / "a.txt").write_text(text)
    return cache.finish("convert", KEY, 1.5).folder


def test_an_artifact_is_found_with_its_digests_and_seconds(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.find("convert", KEY).artifact is None
    made(cache)
    found = cache.find("convert", KEY)
    assert not found.damaged
    assert found.artifact is not None
    assert list(found.artifact.digests) == ["sub/a.txt"]
    assert found.artifact.seconds == 1.5


def test_it_is_not_there_before_it_is_finished(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    (cache.start("convert", KEY) / "a.txt").write_text("half")
    assert cache.find("convert", KEY).artifact is None


def test_starting_again_removes_the_old_one_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    made(cache)
    cache.start("convert", KEY)
    assert cache.find("convert", KEY).artifact is None
    assert made(cache, "new").joinpath("sub/a.txt").read_text() == "new"


@pytest.mark.parametrize(
    "damage", ["bytes", "gone", "manifest", "truncated", "key", "list", "unlisted"]
)
def test_a_damaged_artifact_is_noticed(tmp_path: Path, damage: str) -> None:
    cache = Cache(tmp_path)
    folder = made(cache)
    manifest = folder / "manifest.json"
    if damage == "bytes":
        (folder / "sub" / "a.txt").write_text("y")
    elif damage == "gone":
        (folder / "sub" / "a.txt").unlink()
    elif damage == "manifest":
        manifest.unlink()
    elif damage == "unlisted":
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "files": {}}))
    elif damage == "truncated":
        manifest.write_text(manifest.read_text()[:30])
    elif damage == "list":
        manifest.write_text("[]")
    else:
        manifest.write_text(manifest.read_text().replace(KEY, KEY[:16] + "f" * 48))
    found = cache.find("convert", KEY)
    assert found.artifact is None
    assert found.damaged


def test_a_write_is_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    files.write(tmp_path / "deep" / "a.txt", "one")
    files.write(tmp_path / "deep" / "a.txt", b"two")
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.txt"]
    assert (tmp_path / "deep" / "a.txt").read_text() == "two"


def test_a_write_that_cannot_be_is_qf316(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QflowError) as caught:
        files.write(tmp_path / "file" / "a.txt", "x")
    assert caught.value.diagnostics[0].code == "QF316"


def test_one_run_at_a_time(tmp_path: Path) -> None:
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    with first.open():
        with pytest.raises(QflowError) as caught, second.open():
            pass
        assert caught.value.diagnostics[0].code == "QF319"
        assert caught.value.exit_code == 2
    with second.open():
        pass


def test_opening_removes_what_a_killed_run_left(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    (cache.start("convert", KEY) / "half.txt").write_text("half")
    (tmp_path / f"plan.txt{files.UNFINISHED}").write_text("half")
    with RunFolder(tmp_path).open():
        assert sorted(p.name for p in tmp_path.rglob("*")) == [".lock", "cache"]


def test_a_folder_below_a_file_is_refused_before_anything(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QflowError) as caught, RunFolder(tmp_path / "file" / "run").open():
        pass
    (found,) = caught.value.diagnostics
    assert found.code == "QF316"
    assert "--out" in found.help


def test_state_is_for_the_same_command_only(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    mine = state.read(path, "a")
    mine.start("trace", "k1")
    assert state.read(path, "a").made("trace", "k1")
    assert not state.read(path, "a").made("trace", "k2")
    assert not state.read(path, "b").made("trace", "k1")
    mine.end()
    assert not path.exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"command": "a"}', '{"command": "a", "started": 5}']
)
def test_a_state_that_is_not_ours_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert state.read(tmp_path / "state.json", "a").started == {}


def test_state_is_plain_json(tmp_path: Path) -> None:
    state.read(tmp_path / "state.json", "a").start("prepare", "k")
    assert json.loads((tmp_path / "state.json").read_text()) == {
        "command": "a",
        "started": {"prepare": "k"},
    }


def test_a_folder_where_a_file_should_go_is_a_diagnostic(tmp_path: Path) -> None:
    (tmp_path / "summary.json").mkdir()
    with pytest.raises(QflowError) as caught:
        files.remove(tmp_path / "summary.json")
    assert caught.value.diagnostics[0].code == "QF316"
    assert caught.value.exit_code == 3


def test_errors_of_the_disk_and_of_the_run_folder_are_told_from_our_own(tmp_path: Path) -> None:
    inside, outside = tmp_path / "run", tmp_path / "other"
    assert files.is_about(OSError(28, "no space left on device"), inside)
    assert files.is_about(NotADirectoryError(20, "x", str(inside / "cache" / "a")), inside)
    assert not files.is_about(FileNotFoundError(2, "x", str(outside)), inside)
    assert not files.is_about(OSError("of no file"), inside)
