"""why: addresses and globs, and what is not there."""

import json
from pathlib import Path

import pytest

from qflow.cli import main
from tests.cli.pipeline import copy_case


def test_addresses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int8", tmp_path)
    assert main(["why", str(path), "head", "stem.*"]) == 0
    out = capsys.readouterr().out
    heads = [line for line in out.splitlines() if line[:1].strip()]
    assert heads == ["head", "stem.conv", "stem.bn", "stem.relu"]
    assert "  act.observer         mse              15 | default use w8a8\n" in out


def test_an_unknown_address_is_2_and_the_others_are_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy_case("int8", tmp_path)
    assert main(["why", str(path), "head", "haed"]) == 2
    captured = capsys.readouterr()
    assert captured.out.startswith("head\n")
    assert "error[QF204]" in captured.err
    assert "`head`" in captured.err


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int8", tmp_path)
    assert main(["why", str(path), "head", "stem.*", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["format_version"] == "1.0"
    heads = [a["address"] for a in found["addresses"]]
    assert heads == ["head", "stem.conv", "stem.bn", "stem.relu"]
    assert main(["why", str(path), "head", "haed", "--format", "json"]) == 2
    (problem,) = json.loads(capsys.readouterr().out)["diagnostics"]
    assert problem["code"] == "QF204"


def test_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int8", tmp_path)
    assert main(["why", str(path), "stem.conv", "--field", "act.dtype"]) == 0
    out = capsys.readouterr().out
    assert "act.dtype" in out
    assert "act.observer" not in out
    assert "    15 | default use w8a8\n" in out
    assert main(["why", str(path), "stem.conv", "--field", "act.dtpye"]) == 2
    assert "error[QF309]" in capsys.readouterr().err
