"""qflow fmt: what is written, what is left alone, and what it answers."""

import json
import os
import stat
from pathlib import Path

import pytest

from qflow.cli import main
from qflow.lang import format as formatting

MESSY = "qflow 1\nmodel m {\n a=1 # why\n}"
TIDY = "qflow 1\nmodel m {\n  a = 1  # why\n}\n"
BROKEN = "qflow 1\nmodel m { a: 1 }\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("messy", MESSY), ("tidy", TIDY), ("broken", BROKEN)):
        (tmp_path / f"{name}.qf").write_bytes(text.encode())
    return tmp_path


def test_formats_in_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "messy.qf", "tidy.qf"]) == 0
    assert Path("messy.qf").read_bytes() == TIDY.encode()
    assert capsys.readouterr().err == "formatted messy.qf\n"
    assert sorted(p.name for p in Path().iterdir()) == ["broken.qf", "messy.qf", "tidy.qf"]
    assert main(["fmt", "--check", "messy.qf"]) == 0


def test_a_tidy_file_is_not_even_written() -> None:
    before = Path("tidy.qf").stat()
    assert main(["fmt", "tidy.qf"]) == 0
    assert Path("tidy.qf").stat().st_ino == before.st_ino


def test_check_writes_nothing_and_says_no(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", "messy.qf", "tidy.qf"]) == 1
    assert Path("messy.qf").read_text() == MESSY
    assert capsys.readouterr().err == "would format messy.qf\n"


def test_diff_shows_the_change_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--diff", "messy.qf"]) == 0
    assert Path("messy.qf").read_text() == MESSY
    out = capsys.readouterr().out
    assert "--- messy.qf\n+++ messy.qf (formatted)\n" in out
    assert "- a=1 # why\n+  a = 1  # why\n" in out
    assert main(["fmt", "--diff", "--check", "messy.qf"]) == 1


def test_a_file_with_mistakes_is_left_alone_and_the_others_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["fmt", "broken.qf", "messy.qf", "missing.qf"]) == 2
    assert Path("broken.qf").read_text() == BROKEN
    assert Path("messy.qf").read_text() == TIDY
    err = capsys.readouterr().err
    assert "error[QF101]" in err
    assert "error[QF302]: there is no file `missing.qf`" in err
    assert "2 errors" in err
    assert main(["fmt", "--check", "broken.qf"]) == 2


def test_mistakes_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", "--format", "json", "broken.qf"]) == 2
    assert json.loads(capsys.readouterr().out)["diagnostics"][0]["code"] == "QF101"
    assert main(["fmt", "--check", "--format", "json", "tidy.qf"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnostics"] == []


def test_line_ends_stay_and_a_byte_order_mark_goes() -> None:
    Path("w.qf").write_bytes(b"\xef\xbb\xbf" + MESSY.replace("\n", "\r\n").encode())
    assert main(["fmt", "--check", "w.qf"]) == 1
    assert main(["fmt", "w.qf"]) == 0
    assert Path("w.qf").read_bytes() == TIDY.replace("\n", "\r\n").encode()
    assert main(["fmt", "--check", "w.qf"]) == 0


def test_only_invisible_differences_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("w.qf").write_bytes(b"\xef\xbb\xbf" + TIDY.encode())
    assert main(["fmt", "--diff", "w.qf"]) == 0
    assert "only a byte order mark or line ends differ" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="permissions and links of Unix")
def test_links_and_permissions_stay() -> None:
    Path("messy.qf").chmod(0o640)
    Path("link.qf").symlink_to("messy.qf")
    assert main(["fmt", "link.qf"]) == 0
    assert Path("link.qf").is_symlink()
    assert Path("messy.qf").read_text() == TIDY
    assert stat.S_IMODE(Path("messy.qf").stat().st_mode) == 0o640


def test_a_failed_write_leaves_the_file_and_no_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(source: object, target: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    assert main(["fmt", "messy.qf"]) == 2
    assert Path("messy.qf").read_text() == MESSY
    assert "QF316" in capsys.readouterr().err
    assert len(list(Path().iterdir())) == 3


def test_a_wrong_formatter_writes_nothing_and_is_our_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(formatting, "_formatted", lambda text, file: "qflow 1\n")
    assert main(["fmt", "messy.qf"]) == 4
    assert Path("messy.qf").read_text() == MESSY
    message = capsys.readouterr().err
    assert "would change what it says" in message
    Path(message.split("the traceback is in ")[1].split(";")[0]).unlink()


def test_bytes_that_are_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.qf").write_bytes(b"qflow 1\n\x80")
    assert main(["fmt", "b.qf"]) == 2
    assert "QF107" in capsys.readouterr().err
