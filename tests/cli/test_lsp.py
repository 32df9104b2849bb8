"""qflow lsp where pygls is missing; everything else of it is in tests/lsp."""

import subprocess
import sys

import pytest

from qflow.cli import lsp, main


def test_what_to_install_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lsp, "find_spec", lambda name: None)
    assert main(["lsp"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "QF405" in said.err
    assert "pip install 'qflow[lsp]'" in said.err


def test_an_editor_that_leaves_without_a_word_ends_the_server() -> None:
    command = [sys.executable, "-m", "qflow", "lsp"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
