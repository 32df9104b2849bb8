"""init: a starter that passes check, in canonical form, and nothing overwritten."""

from pathlib import Path

import pytest

from qflow.cli import main
from qflow.cli.init import ATTRIBUTES
from qflow.lang.format import format_text


def test_the_starter_passes_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert "wrote pipeline.qf" in capsys.readouterr().out
    assert main(["check", "pipeline.qf"]) == 0
    text = Path("pipeline.qf").read_text()
    assert text.count("REPLACE") >= 5
    assert format_text(text, "pipeline.qf") == text
    assert Path(".gitattributes").read_text() == f"{ATTRIBUTES}\n"


def test_it_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sub" / "x.qf"
    assert main(["init", str(path)]) == 0
    path.write_text("mine")
    assert main(["init", str(path)]) == 2
    assert "QF316" in capsys.readouterr().err
    assert path.read_text() == "mine"


def test_attributes_are_added_once(tmp_path: Path) -> None:
    attributes = tmp_path / ".gitattributes"
    attributes.write_text("*.bin binary")
    assert main(["init", str(tmp_path)]) == 0
    assert main(["init", str(tmp_path / "b.qf")]) == 0
    assert attributes.read_text() == f"*.bin binary\n{ATTRIBUTES}\n"


def test_a_folder_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file" / "x.qf")]) == 2
    assert "QF316" in capsys.readouterr().err
