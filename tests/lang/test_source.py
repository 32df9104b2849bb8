"""Reading files: what is accepted silently, and what is a located diagnostic."""

from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.lang import load
from qflow.lang.source import read_text


def failure(path: Path, shown: str | None = None) -> tuple[str, str, str]:
    with pytest.raises(QflowError) as caught:
        read_text(path, shown)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.code, diagnostic.message, str(diagnostic.at or "")


def test_bom_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.qf"
    path.write_bytes(b'\xef\xbb\xbfqflow 1\r\nuse "\xc3\xa9"\rlast')
    assert read_text(path) == 'qflow 1\nuse "é"\nlast'


def test_a_missing_file(tmp_path: Path) -> None:
    assert failure(tmp_path / "a.qf", "a.qf") == ("QF302", "there is no file `a.qf`", "")


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "digits.qf").write_text("qflow 1\n")
    with pytest.raises(QflowError) as caught:
        read_text(tmp_path / "digit.qf")
    assert caught.value.diagnostics[0].help == "the folder has `digits.qf`"


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(QflowError) as caught:
        read_text(tmp_path / "no" / "digit.qf")
    assert "does not exist either" in caught.value.diagnostics[0].help


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    code, message, _ = failure(tmp_path, "here")
    assert code == "QF107"
    assert message.startswith("cannot read `here`: ")


def test_a_name_no_system_has() -> None:
    assert failure(Path("a\0b"), "a")[0] in ("QF107", "QF302")


def test_bytes_that_are_no_text_are_located(tmp_path: Path) -> None:
    path = tmp_path / "a.qf"
    path.write_bytes(b"qflow 1\n\xc3\xa9 \xff")
    assert failure(path, "a.qf") == ("QF107", "`a.qf` is not UTF-8: byte 11 is 0xff", "a.qf:2:3")


def test_load_gives_a_program(tmp_path: Path) -> None:
    path = tmp_path / "a.qf"
    path.write_text("qflow 1\nmodel m { a = 1 }\ndata d {}\n")
    program = load(path)
    assert program.path == path.as_posix()
    assert [block.name for block in (*program.models, *program.data)] == ["m", "d"]
    assert program.span.end_line == 4


def test_load_raises_with_every_mistake_and_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.qf"
    path.write_text("qflow 1\nmodel m { a: 1 }\ndata d { b: 2 }\n")
    with pytest.raises(QflowError) as caught:
        load(path)
    assert [d.code for d in caught.value.diagnostics] == ["QF101", "QF101"]
    assert caught.value.exit_code == 2
    assert caught.value.sources == {path.as_posix(): path.read_text()}
