"""Memory of a forward: the peak is that of its process, and the integer one stays below the bar."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import memory, networks
from benchmarks.integer_forward import integer_graph, quantized
from qflow.emulation import file

pytestmark = pytest.mark.skipif(not memory.CLEAR.exists(), reason="there is no /proc")
BATCH = 16
FEATURES = 64 * 56 * 56 * 4
"""Bytes of the widest tensor of one sample, as floats."""


def test_an_integer_forward_stays_within_the_bar(tmp_path: Path) -> None:
    network = networks.residual_stack()
    path = tmp_path / "model.qnn"
    file.save(integer_graph(quantized(network, memory.MARCH), memory.MARCH), path)
    floats = memory.measured(network, "float", path, BATCH)
    integers = memory.measured(network, "integer", path, BATCH)
    # what goes in and what comes out of a layer is there at once
    assert floats >= 1.5 * BATCH * FEATURES / memory.MEGABYTE
    assert integers <= memory.BAR * floats


def test_what_is_taken_is_seen() -> None:
    before = memory.resident("VmRSS")
    held = b"x" * (64 * memory.MEGABYTE)
    assert memory.resident("VmRSS") - before >= 0.9 * len(held)
    assert memory.resident("VmHWM") >= memory.resident("VmRSS")
