"""check --strict, --select, --fix, what comments allow, and the formats."""

import json
from pathlib import Path

import pytest

from qflow import atomic
from qflow.cli import main
from tests.cli.pipeline import copy_case, replace
from tests.lint.test_one_cause import GOOD

TWICE = 'use careful\n  match "stem.**" patch { act.observer = mse }\n}'


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy_case("int8", tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("x.qf").write_text(GOOD)
    return Path("x.qf")


def test_strict_counts_warnings(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "x.qf", "--strict"]) == 0
    replace(path, "use careful\n}", TWICE)
    assert main(["check", "x.qf"]) == 0
    assert main(["check", "x.qf", "--strict"]) == 1
    assert "QF205" in capsys.readouterr().out


def test_strict_does_not_count_what_is_allowed(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(path, "use careful\n}", TWICE.replace(" }\n", " }  # qf: allow QF205 so it is\n"))
    assert main(["check", "x.qf", "--strict"]) == 0
    assert capsys.readouterr().out == "1 file checked, nothing to say\n"


def test_select_is_about_warnings_and_never_hides_an_error(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(path, "use careful\n}", TWICE)
    assert main(["check", "x.qf", "--select", "QF7,qf205", "--strict"]) == 1
    assert "QF205" in capsys.readouterr().out
    assert main(["check", "x.qf", "--select", "QF7", "--strict"]) == 0
    assert capsys.readouterr().out == "1 file checked, nothing to say\n"
    replace(path, "careful\n", "careless\n")
    assert main(["check", "x.qf", "--select", "QF7"]) == 1
    assert "QF110" in capsys.readouterr().out


def test_select_of_nothing_is_refused(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "x.qf", "--select", "QF2,X9"]) == 2
    assert "no id begins with `X9`" in capsys.readouterr().err


def test_fix_writes_and_shows(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replace(path, "use careful", "use carefull")
    assert main(["check", "x.qf", "--fix"]) == 0
    out = capsys.readouterr().out
    assert path.read_text() == GOOD
    assert '-  match "stem.**" use carefull\n+  match "stem.**" use careful\n' in out
    assert "fixed QF110 x.qf:" in out
    assert "1 file checked, nothing to say" in out


def test_fix_tells_what_is_left(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replace(path, "use careful", "use carefull")
    replace(path, "base           = w8a8", "base           = w9")
    assert main(["check", "x.qf", "--fix"]) == 1
    out = capsys.readouterr().out
    assert "fixed QF110" in out
    assert "there is no qconfig `w9`" in out
    assert "carefull" not in path.read_text()


def test_fix_beside_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replace(path, "use careful", "use carefull")
    assert main(["check", "x.qf", "--fix", "--format", "json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["diagnostics"] == []
    assert "fixed QF110" in captured.err


def test_fix_only_what_is_selected(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replace(path, "use careful", "use carefull")
    before = path.read_text()
    assert main(["check", "x.qf", "--fix", "--select", "QF190"]) == 1
    assert path.read_text() == before
    assert "fixed" not in capsys.readouterr().out


def test_fix_without_anything_to_mend_writes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("written")

    monkeypatch.setattr(atomic, "write", refuse)
    assert main(["check", "x.qf", "--fix"]) == 0


def test_a_file_that_cannot_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    replace(path, "use careful", "use carefull")
    before = path.read_text()
    monkeypatch.setattr(atomic, "write", refuse)
    assert main(["check", "x.qf", "--fix"]) == 2
    assert "QF316" in capsys.readouterr().out
    assert path.read_text() == before


def test_several_files_each_with_its_own(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Path("y.qf")
    other.write_text(GOOD.replace("use careful", "use carefull"))
    Path("y.qf.lock").write_text(Path("x.qf.lock").read_text())
    replace(path, "= percentile", "= percentil")
    assert main(["check", "x.qf", "y.qf", "x.qf"]) == 1
    out = capsys.readouterr().out
    assert out.count("error[") == 2
    assert main(["check", "x.qf", "y.qf", "--fix"]) == 0
    assert (path.read_text(), other.read_text()) == (GOOD, GOOD)


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "markdown"])
def test_every_format_of_a_good_and_a_bad_file(
    form: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "x.qf", "--format", form]) == 0
    good = capsys.readouterr().out
    assert "QF" not in good.replace("QF_", "")
    replace(path, "use careful", "use carefull")
    assert main(["check", "x.qf", "--format", form]) == 1
    bad = capsys.readouterr().out
    assert "QF110" in bad
    assert "carefull" in bad


def test_what_is_allowed_is_kept_for_machines(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(path, "use careful\n}", TWICE.replace(" }\n", " }  # qf: allow QF205 so it is\n"))
    assert main(["check", "x.qf", "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["diagnostics"]
    assert (found["code"], found["allowed"]) == ("QF205", "so it is")
    assert main(["check", "x.qf", "--format", "sarif"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert result["suppressions"] == [{"kind": "inSource", "justification": "so it is"}]
    assert main(["check", "x.qf", "--format", "github"]) == 0
    assert capsys.readouterr().out == ""


def test_other_verbs_do_not_show_what_is_allowed(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(path, "use careful\n}", 'use careful\n  match "**" patch { act.dtype = int16 }\n}')
    assert main(["plan", "x.qf"]) == 0
    warned = capsys.readouterr().err
    assert "warning[QF504]" in warned
    replace(path, "int16 }\n}", "int16 }  # qf: allow QF504 the march knows better\n}")
    assert main(["plan", "x.qf"]) == 0
    assert "warning[QF504]" not in capsys.readouterr().err


def test_what_is_about_a_file_has_it_as_its_place(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code scanning refuses a result without one."""
    Path("y.qf").write_text(GOOD)
    assert main(["check", "x.qf", "y.qf", "no.qf", "--format", "sarif"]) == 2
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    places = {
        r["ruleId"]: r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for r in results
    }
    assert places["QF304"].endswith("y.qf")
    assert places["QF302"].endswith("no.qf")
    assert main(["check", "y.qf", "--format", "github"]) == 0
    assert capsys.readouterr().out.startswith("::notice file=y.qf,line=1,col=1,")
    assert main(["check", "y.qf"]) == 0
    assert "-->" not in capsys.readouterr().out
