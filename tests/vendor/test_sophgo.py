"""The check against the vendor: what it says where nothing is installed, and how it counts."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.vendor import sophgo


def test_without_an_environment_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert sophgo.main([]) == sophgo.main([""]) == 2
    assert "make sophgo SOPHGO=" in capsys.readouterr().err


def test_an_environment_without_the_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sophgo.main([str(tmp_path)]) == 2
    assert "no Python environment" in capsys.readouterr().err
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    assert sophgo.main([str(tmp_path)]) == 2
    assert "not installed there" in capsys.readouterr().err


def test_integers_are_compared_one_by_one() -> None:
    ours = np.array([[1, -128], [3, 4]], np.int8)
    theirs = np.array([[1.0, -128.0, 2.0, 4.0]], np.float32)
    assert sophgo.difference("x", ours, theirs) == sophgo.Difference("x", 4, 1)
    with pytest.raises(sophgo.Failed, match="3 values"):
        sophgo.difference("x", ours, theirs[:, :3])


def test_a_tool_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(sophgo.Failed, match="no such thing"):
        sophgo.call([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path)
