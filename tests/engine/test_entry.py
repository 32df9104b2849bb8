"""Entry points: found beside the file or installed; whose mistake it was is said."""

import sys
from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.engine import entry


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    name = f"entries_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("class Box:\n    inner = 5\ndef build_net(): return 1\n")
    (tmp_path / f"{name}_raises.py").write_text("raise OSError('disk gone')\n")
    (tmp_path / f"{name}_imports.py").write_text("import not_installed_anywhere\n")
    return name


def refused(text: str, folder: Path) -> tuple[int, str, str]:
    with pytest.raises(QflowError) as caught:
        entry.find(text, folder)
    (found,) = caught.value.diagnostics
    assert found.code == "QF312"
    return caught.value.exit_code, found.message, " ".join((*found.notes, found.help))


def test_found_beside_the_file_and_the_path_is_left_as_it_was(tmp_path: Path, name: str) -> None:
    before = list(sys.path)
    assert entry.find(f"{name}:Box.inner", tmp_path) == 5
    assert entry.find("math:sqrt", tmp_path)(4) == 2
    assert sys.path == before


def test_no_module(tmp_path: Path) -> None:
    code, message, rest = refused("nowhere.model:net", tmp_path)
    assert code == 2
    assert message == "there is no module `nowhere` for `nowhere.model:net`"
    assert tmp_path.as_posix() in rest


def test_no_attribute_names_the_nearest(tmp_path: Path, name: str) -> None:
    code, message, rest = refused(f"{name}:build_nett", tmp_path)
    assert code == 2
    assert message == f"`{name}` has no `build_nett`"
    assert "`build_net`" in rest


def test_a_module_that_raises_is_the_users_error(tmp_path: Path, name: str) -> None:
    code, message, rest = refused(f"{name}_raises:f", tmp_path)
    assert code == 3
    assert message == f"importing `{name}_raises` failed with OSError: disk gone"
    assert f"{name}_raises.py:1" in rest


def test_a_module_that_lacks_another_is_the_users_error(tmp_path: Path, name: str) -> None:
    code, message, _ = refused(f"{name}_imports:f", tmp_path)
    assert code == 3
    assert "No module named 'not_installed_anywhere'" in message


def test_ctrl_c_and_our_own_errors_pass() -> None:
    with pytest.raises(KeyboardInterrupt), entry.UserCode("x"):
        raise KeyboardInterrupt
    own = QflowError(())
    with pytest.raises(QflowError) as caught, entry.UserCode("x"):
        raise own
    assert caught.value is own


def test_the_cause_is_kept_for_the_log() -> None:
    with pytest.raises(QflowError) as caught, entry.UserCode("the loader `m:f`"):
        raise ValueError("first\nsecond")
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.diagnostics[0].message == "the loader `m:f` failed with ValueError: first"


def test_an_exit_in_other_peoples_code_does_not_end_the_run_well() -> None:
    with pytest.raises(QflowError) as caught, entry.UserCode("the loader"):
        sys.exit(0)
    assert caught.value.exit_code == 3
    assert "SystemExit" in caught.value.diagnostics[0].message
