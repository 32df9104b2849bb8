"""One node of a lowered graph, run on integers of a test's own choice by both implementations."""

from __future__ import annotations

import numpy as np
import torch

from qflow.emulation.graph import IntegerGraph
from qflow.emulation.op import Call, Range
from qflow.emulation.runtimes._calls import calls
from qflow.emulation.runtimes.torch import TorchRuntime, exact_kernels

CPU = torch.device("cpu")


def call_of(graph: IntegerGraph, op: str) -> Call:
    """The one node of that operator."""
    (found,) = [c for c in calls(graph) if c.node.op == op]
    return found


def both(graph: IntegerGraph, op: str, *operands: np.ndarray) -> np.ndarray:
    """What the oracle computes; the fast path must compute the same, from any carrier."""
    call = call_of(graph, op)
    ranges: list[Range] = [TorchRuntime(graph).ranges[i] for i in call.node.inputs]
    expected = call.operator.oracle(call, *[x.astype(np.int64) for x in operands])
    fast = call.operator.fast(call, ranges, CPU)
    for carrier in (torch.float32, None, torch.float64):
        given = [
            torch.from_numpy(x.astype(s.dtype)).to(carrier or getattr(torch, s.dtype))
            for x, s in zip(operands, call.sources, strict=True)
        ]
        with exact_kernels(CPU):
            found = fast.run(*given).numpy()
        assert np.array_equal(found.astype(np.int64), expected)
    return expected
