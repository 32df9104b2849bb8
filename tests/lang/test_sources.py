"""Sources: the disk, and texts of an editor over it."""

from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.lang.sources import DISK, Overlay


def test_disk(tmp_path: Path) -> None:
    file = tmp_path / "a.qf"
    file.write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    assert DISK.text(file) == "one\ntwo"
    assert DISK.read(file) == b"\xef\xbb\xbfone\r\ntwo"
    assert DISK.exists(file)
    assert not DISK.exists(tmp_path / "b.qf")
    assert DISK.size(file) == 11
    with pytest.raises(FileNotFoundError):
        DISK.read(tmp_path / "b.qf")
    with pytest.raises(QflowError, match="QF302"):
        DISK.text(tmp_path / "b.qf", "b.qf")


def test_overlay_wins_and_leaves_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below, new = tmp_path / "a.qf", tmp_path / "new.qf"
    below.write_text("on disk")
    other = tmp_path / "other.qf"
    other.write_text("other")
    sources = Overlay(DISK, {below: "\ufeffedited\r\n", new: "näw"})
    assert sources.text(below) == "edited\n"
    assert sources.read(new) == "näw".encode()
    assert sources.size(new) == 4
    assert sources.exists(new)
    assert not new.exists()
    assert sources.text(other) == "other"
    assert sources.size(other) == 5
    assert sources.exists(other)
    assert not sources.exists(tmp_path / "none.qf")
    monkeypatch.chdir(tmp_path)
    assert sources.text(Path("a.qf")) == "edited\n", "the same file under its relative path"


def test_overlay_of_text_no_encoding_has(tmp_path: Path) -> None:
    """An editor may hand over half a surrogate pair."""
    sources = Overlay(DISK, {tmp_path / "a.qf": "\ud800"})
    assert sources.size(tmp_path / "a.qf") == 3
