"""What is kept between processes is never out of date, and nobody needs it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qflow import kept


class Made:
    """A maker that counts how often it is asked."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.asked = 0

    def __call__(self) -> Any:
        self.asked += 1
        return self.value


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.txt"
    path.write_text("one")
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "cache" / "qflow"


def test_it_is_made_once(source: Path, folder: Path) -> None:
    make = Made({"a": [1, 2.5, None, True]})
    found = [kept.made_of([source], make, "test") for _ in range(3)]
    assert found == [make.value] * 3
    assert make.asked == 1
    assert len(list(folder.iterdir())) == 1


def test_other_bytes_are_made_again_even_at_the_same_time_and_size(
    source: Path, folder: Path
) -> None:
    before = source.stat()
    assert kept.made_of([source], Made("old"), "test") == "old"
    source.write_text("two")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert kept.made_of([source], Made("new"), "test") == "new"
    source.write_text("one")
    assert kept.made_of([source], Made("made again"), "test") == "old"


def test_names_order_and_borders_of_files_count(source: Path, folder: Path) -> None:
    other = source.with_name("other.txt")
    other.write_text("")
    make = Made(0)
    kept.made_of([source, other], make, "test")
    kept.made_of([other, source], make, "test")
    other.write_text("e")
    source.write_text("on")
    kept.made_of([source, other], make, "test")
    kept.made_of([source, other], make, "else")
    kept.made_of([source], make, "test")
    assert make.asked == 5


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_one_is_replaced(damage: bytes, source: Path, folder: Path) -> None:
    kept.made_of([source], Made([1]), "test")
    (file,) = folder.iterdir()
    file.write_bytes(damage)
    assert kept.made_of([source], Made([1]), "test") == [1]
    assert json.loads(file.read_bytes()) == [1]


@pytest.mark.parametrize("value", [(1, 2), {1: 2}, {3}, float("nan"), [("a",)]])
def test_what_json_would_change_is_not_kept(value: Any, source: Path, folder: Path) -> None:
    make = Made(value)
    assert kept.made_of([source], make, "test") is value
    assert kept.made_of([source], make, "test") is value
    assert make.asked == 2


def test_nothing_is_written_where_python_writes_no_byte_code(
    source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert kept.made_of([source], Made(1), "test") == 1
    assert not folder.exists()


@pytest.mark.parametrize("where", ["relative", "/proc/nowhere", "{file}"])
def test_it_works_where_nothing_can_be_written(
    where: str, source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", where.format(file=source))
    monkeypatch.chdir(source.parent)
    assert kept.made_of([source], Made(1), "test") == 1
    assert not (source.parent / "relative").exists()


def test_the_folder_does_not_grow_for_ever(
    source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST", 3)
    for n in range(6):
        source.write_text(str(n))
        kept.made_of([source], Made(n), "test")
    assert sorted(json.loads(f.read_bytes()) for f in folder.iterdir())[-1] == 5
    assert len(list(folder.iterdir())) == 3


def test_processes_that_write_at_once_leave_one_whole_file(source: Path, folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from qflow import kept\n"
        "sys.dont_write_bytecode = False\n"
        "print(kept.made_of([Path(sys.argv[1])], lambda: list(range(20000)), 'test')[-1])"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, source], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    assert [p.communicate()[0].strip() for p in running] == [b"19999"] * 3
    (file,) = folder.iterdir()
    assert json.loads(file.read_bytes())[-1] == 19999
