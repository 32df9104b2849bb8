"""int8 kernels on two threads: the sums of every image are its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from qflow.emulation.carriers import onednn

pytestmark = pytest.mark.skipif(not onednn.is_there(), reason="this torch has no int8 kernels")
SPINS = "300000"
"""Threads that wait spin for about a millisecond: where they sleep, faults of this kind hide."""


def test_sums_of_a_large_batch() -> None:
    """In a process of its own: how threads wait is settled where torch is loaded."""
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.emulation.carriers.on_two_threads"],
        env=environment | {"GOMP_SPINCOUNT": SPINS},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["layers"] == 48
    assert found["wrong"] == []
