"""Which threads a loop runs on."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from qflow.loops import team
from qflow.loops.counts import counts
from qflow.loops.frame import Loop, int64_at, share, thread


@Loop
def _who(frame):
    found, seen = int64_at(frame, 0), int64_at(frame, 1)
    first, last = share(found.size)
    for i in range(first, last):
        found[i] += 1
    seen[thread()] += last - first


@pytest.mark.parametrize("size", [0, 1, 2, 3, 1000, 1001])
def test_every_item_is_somebodys_once(size: int) -> None:
    found, seen = np.zeros(size, np.int64), np.zeros(torch.get_num_threads(), np.int64)
    _who(team.LEAST_WORK, found, seen)
    assert (found == 1).all()
    assert seen.sum() == size
    if size == 1000:
        assert (seen == size // torch.get_num_threads()).all()


def test_little_work_stays_on_one_thread() -> None:
    found, seen = np.zeros(10, np.int64), np.zeros(torch.get_num_threads(), np.int64)
    _who(10, found, seen)
    assert seen[0] == 10


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are not listed here")
def test_the_threads_are_those_of_torch() -> None:
    before = len(os.listdir("/proc/self/task"))
    torch.ones(1 << 20).add(1)
    with_torch = len(os.listdir("/proc/self/task"))
    _who(team.LEAST_WORK, np.zeros(1 << 16, np.int64), np.zeros(2, np.int64))
    assert len(os.listdir("/proc/self/task")) == max(before, with_torch)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_runs_alone() -> None:
    _who(team.LEAST_WORK, np.zeros(100, np.int64), np.zeros(2, np.int64))
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        seen = np.zeros(2, np.int64)
        _who(team.LEAST_WORK, np.zeros(100, np.int64), seen)
        os._exit(0 if seen[0] == 100 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_without_openmp_it_runs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team, "_openmp", lambda: None)
    launch = team.launcher.__wrapped__()
    try:
        alone = Loop(_who._function)
        address = alone._compiled.address
        found, seen = np.zeros(9, np.int64), np.zeros(2, np.int64)
        frame = np.array([found.ctypes.data, 9, seen.ctypes.data, 2], np.int64)
        launch(address, frame.ctypes.data, 2)
        assert (found == 1).all()
    finally:
        monkeypatch.undo()
        team.launcher.__wrapped__()


def test_callers_on_several_threads_do_not_mix() -> None:
    x = torch.randn(1, 50_000)
    empty = torch.zeros(1, 128, dtype=torch.int64)

    def counted(_: int = 0) -> list[int]:
        found = counts(x, 8.0, empty)
        assert found is not None
        return list(found.counts[0].tolist())

    expected = counted()

    with ThreadPoolExecutor(4) as pool:
        assert all(c == expected for c in pool.map(counted, range(40)))
