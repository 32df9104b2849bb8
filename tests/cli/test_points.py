"""`plan` and `check` of sweeps: one line per point, every point checked."""

import json
from pathlib import Path

import pytest

from qflow.cli import main
from qflow.cli._varied import _spread
from tests.cli.pipeline import copy_case, replace


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    copy_case("sweeps", tmp_path)
    monkeypatch.chdir(tmp_path)
    return "x.qf"


def test_a_line_per_point(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", path, "--sweep", "pairs", "--set", "top=1"]) == 2
    assert "`top` is swept, and in `--set`" in capsys.readouterr().err
    assert main(["plan", path, "-m", "bits=int8,int16", "top=0,4"]) == 0
    captured = capsys.readouterr()
    rows = captured.out.splitlines()
    assert rows[0].split() == ["point", "weight", "bytes", "bit", "operations", "outputs",
                               "weights", "plan"]  # fmt: skip
    assert [row.split()[0] for row in rows[1:5]] == [
        "bits=int8,top=0", "bits=int8,top=4", "bits=int16,top=0", "bits=int16,top=4",
    ]  # fmt: skip
    assert "int8 7, float32 1, int32 1" in rows[1]
    # nothing of the file reads `top`
    assert rows[1].split()[-1] == rows[2].split()[-1] != rows[3].split()[-1]
    assert rows[5:] == ["", "4 points, 2 different plans"]
    assert "at the points `bits=int16,top=0`, `bits=int16,top=4`" in captured.err


def test_points_for_programs(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", path, "--sweep", "pairs", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["format_version"] == "1.0"
    assert [p["values"] for p in data["points"]] == [
        {"bits": "int8", "top": "0"}, {"bits": "int16", "top": "4"},
    ]  # fmt: skip
    assert main(["plan", path, "--set", "bits=int16", "--format", "json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert data["points"][1]["stages"] == dict(whole["hashes"])


def test_errors_of_all_points(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", path, "-m", "bits=int4", "tpo=1", "top=1,9"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("error[") == 3
    assert "did you mean `top`" in captured.err or "the nearest: `top`" in captured.err
    assert main(["plan", path, "-m", "top=1", "-m", "top=2"]) == 2
    assert "`top` is given twice" in capsys.readouterr().err
    assert main(["plan", path, "-m", "top"]) == 2
    assert "is not NAME=VALUE,VALUE" in capsys.readouterr().err
    assert main(["plan", path, "-m", "top="]) == 2
    assert "gives no value" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ("x.qf -m a=1,2 b=3", "x.qf -m a=1,2 -m b=3"),
        ("-m a=1 b=2 x.qf --set c=1", "-m a=1 -m b=2 x.qf --set c=1"),
        ("-m a=1 --multirun b=2 c=3", "-m a=1 --multirun b=2 -m c=3"),
        ("x.qf --set a=1", "x.qf --set a=1"),
        ("-m a=1 --set c=2 d=3", "-m a=1 --set c=2 d=3"),
        ("x.qf -m", "x.qf -m"),
    ],
)
def test_what_follows_m_belongs_to_it(given: str, after: str) -> None:
    assert _spread(given.split()) == after.split()


def test_check_of_every_point(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", path]) == 0
    assert capsys.readouterr().out == "1 file checked, nothing to say\n"
    assert main(["check", path, "--sweeps"]) == 0
    out = capsys.readouterr().out
    assert "at the points `precision bits=int16,top=0`, " in out
    assert "`pairs bits=int16,top=4`" in out
    assert main(["check", path, "--sweep", "pairs", "--sweep", "pears"]) == 1
    assert "there is no sweep `pears`" in capsys.readouterr().out
    assert main(["check", path, "--sweeps", "--set", "bits=int8"]) == 1
    assert "`bits` is swept, and in `--set`" in capsys.readouterr().out


def test_a_point_may_need_an_allow(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    replace(Path(path), "quantize {", "# qf: allow QF504,QF223 int16 may fall back\nquantize {")
    assert main(["check", path]) == 0
    assert capsys.readouterr().out.count("warning[QF190]") == 2
    assert main(["check", path, "--sweep", "precision"]) == 0
    assert capsys.readouterr().out == "1 file and 6 points checked, nothing to say\n"
    assert main(["check", path, "--sweeps", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)["diagnostics"]
    assert {d["code"] for d in listed} == {"QF504", "QF223"}


def test_a_file_that_does_not_parse(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    replace(Path(path), "sweep pairs zip {", "sweep pairs zip")
    assert main(["check", path, "--sweeps"]) == 1
    plain = capsys.readouterr().out
    assert main(["check", path]) == 1
    assert capsys.readouterr().out == plain
