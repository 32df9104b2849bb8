"""check: exit codes, all files at once, machine output."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from qflow.cli import main
from tests.cli.pipeline import copy_case, replace


def test_a_good_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int8", tmp_path)
    assert main(["check", str(path), "--locked"]) == 0
    assert capsys.readouterr().out == "1 file checked, nothing to say\n"


def test_errors_are_1_and_warnings_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int8", tmp_path)
    replace(path, "use w8a8", "use w8a8 with { act.dtype = int16 }")
    assert main(["check", str(path)]) == 0
    assert "warning[QF504]" in capsys.readouterr().out
    replace(path, "use w8a8", "use w8a9")
    assert main(["check", str(path)]) == 1
    assert "error[QF110]" in capsys.readouterr().out


def test_a_syntax_error_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int8", tmp_path)
    replace(path, "use w8a8", "")
    assert main(["check", str(path)]) == 1
    assert "QF102" in capsys.readouterr().out


def test_a_missing_file_is_2_and_the_others_are_still_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy_case("unknown_qconfig", tmp_path)
    assert main(["check", str(tmp_path / "no.qf"), str(path)]) == 2
    out = capsys.readouterr().out
    assert "QF302" in out
    assert "QF110" in out


def test_no_lock_is_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int8", tmp_path)
    path.with_name("x.qf.lock").unlink()
    assert main(["check", str(path)]) == 0
    out = capsys.readouterr().out
    assert "note[QF304]" in out
    assert "qflow lock " in out
    assert main(["check", str(path), "--locked"]) == 1


def test_lint_rules_are_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int8", tmp_path)
    rules = '  match "stem.conv" use w8a8\n  match "stem.**" use w8a8\n}'
    replace(path, "use w8a8\n}", f"use w8a8\n{rules}")
    assert main(["check", str(path)]) == 0
    assert "warning[QF203]" in capsys.readouterr().out


def test_set_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("finetune", tmp_path)
    assert main(["check", str(path), "--set", "rounds=0", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnostics"] == []
    assert main(["check", str(path), "--set", "rounds=9", "--format", "json"]) == 1
    assert "QF111" in capsys.readouterr().out


@pytest.mark.parametrize("verb", [["check"], ["plan"], ["why"]])
def test_a_verb_loads_neither_torch_nor_rich(verb: list[str], tmp_path: Path) -> None:
    path = copy_case("claims", tmp_path)
    arguments = [*verb, str(path), *(["stem.conv"] if verb == ["why"] else [])]
    script = (
        "import sys; sys.modules['torch'] = None; from qflow.cli import main;"
        f"code = main({arguments!r}); sys.exit(code if 'rich' not in sys.modules else 9)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
