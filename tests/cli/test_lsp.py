"""qflow lsp where pygls is missing; everything else of it is in tests/lsp."""

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
