"""qflow convert: what is written, what is never overwritten, and what it says."""

from pathlib import Path

import pytest

from qflow.cli import main

QF = 'qflow 1\n\nmodel net {\n  entry = "a:b"  # here\n}\n'
YAML = 'qflow: 1\n\nmodel:\n  net:\n    entry: "a:b"  # here\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.qf").write_text(QF)
    return tmp_path


def test_there_and_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "x.qf", "x.yaml"]) == 0
    assert Path("x.yaml").read_text() == YAML
    assert main(["convert", "x.yaml", "y.qf"]) == 0
    assert Path("y.qf").read_text() == QF
    out, err = capsys.readouterr()
    assert (out, err) == ("", "wrote x.yaml\nwrote y.qf\n")


def test_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "x.qf", "-"]) == 0
    assert capsys.readouterr() == (YAML, "")
    assert [p.name for p in Path().iterdir()] == ["x.qf"]


def test_nothing_is_overwritten_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.yaml").write_text("mine")
    assert main(["convert", "x.qf", "x.yaml"]) == 2
    assert Path("x.yaml").read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert main(["convert", "x.qf", "x.yaml", "--force"]) == 0
    assert Path("x.yaml").read_text() == YAML


@pytest.mark.parametrize("to", ["y.qf", "y.txt", "y"])
def test_the_other_form_is_asked_for(to: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "x.qf", to]) == 2
    assert "QF316" in capsys.readouterr().err
    assert not Path(to).exists()


def test_another_folder_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "x.qf", "sub/x.yml"]) == 0
    err = capsys.readouterr().err
    assert "QF147" in err
    assert "relative to its own folder" in err


def test_mistakes_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.yaml").write_text("qflow: 1\nmodle: {}\n")
    assert main(["convert", "x.yaml", "-"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "did you mean `model`?" in err
    Path("x.yaml").write_text("qflow: 1\nmodel: {m: {a: on}}\n")
    assert main(["check", "x.yaml"]) == 1
    assert "x.yaml:2:16" in capsys.readouterr().out


def test_a_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "no.qf", "-"]) == 2
    assert "QF302" in capsys.readouterr().err
