"""Whether loops can be compiled here."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace

import pytest
import torch

from qflow import loops


def test_on_the_cpu_only() -> None:
    assert loops.is_there()
    assert loops.is_there(torch.device("cpu"))
    assert not loops.is_there(torch.device("cuda"))


def test_a_numba_that_cannot_be_imported_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(loops, "find_spec", lambda name: SimpleNamespace())
    with caplog.at_level(logging.WARNING, "qflow"):
        assert not loops._numba.__wrapped__()
    assert "passes run in torch" in caplog.text
