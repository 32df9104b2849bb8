"""timing: how long each node of a graph takes in torch, and what it is carried by."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from qflow.emulation.runtimes._calls import given
from qflow.emulation.runtimes.torch import TorchRuntime, device_of, exact

WARM = 2
"""Runs that do not count: kernels are made on the first one."""


@dataclass(frozen=True)
class Timed:
    """One node."""

    id: str
    address: str
    op: str
    shape: tuple[int, ...]
    """Of its output, at the batch that was timed."""
    dtype: str
    seconds: float
    """Median over the runs."""
    carrier: str
    """Where it sums; empty where nothing is summed."""
    bound: int
    """Largest magnitude of any partial sum."""
    why: str


def timed(runtime: TorchRuntime, inputs: Mapping[str, Tensor], runs: int) -> tuple[Timed, ...]:
    """Every node in order. Raises QflowError as `TorchRuntime.run`."""
    spent: dict[str, list[float]] = {node.id: [] for node in runtime.graph.nodes}
    shapes: dict[str, tuple[int, ...]] = {}
    for _ in range(WARM + runs):
        values = given(runtime.graph, inputs)
        device = device_of(values)
        with exact(device):
            _wait(device)
            started = time.perf_counter()
            for id_ in runtime.steps(values, ()):
                _wait(device)
                spent[id_].append(time.perf_counter() - started)
                shapes[id_] = tuple(values[id_].shape)
                started = time.perf_counter()
    fast = runtime.carried(device)
    rows = []
    for node in runtime.graph.nodes:
        found, seconds = fast[node.id], statistics.median(spent[node.id][WARM:])
        carrier = found.carrier if found.bound else ""
        facts = (node.id, node.address, node.op, shapes[node.id], node.output.dtype)
        rows.append(Timed(*facts, seconds, carrier, found.bound, found.why))
    return tuple(rows)


def _wait(device: torch.device) -> None:
    """Until an accelerator has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
