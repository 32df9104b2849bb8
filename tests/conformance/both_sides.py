"""One case on both sides: the lowered graph's oracle and fast path, and a runtime's integers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from qflow.emulation.graph import IntegerGraph
from qflow.emulation.runtimes import numpy as oracle
from tests.conformance.litert_case import Case, graph_of
from tests.conformance.table import Row

Runtime = Callable[[IntegerGraph, Case], np.ndarray]
"""The runtime's integers of the operator `op`, in the order of axes that qflow has."""


@dataclass(frozen=True)
class Check:
    """Cases of one operator and dtype for one profile, and who computes them too."""

    profile: str
    label: str
    runtime: str
    cases: Callable[[], Iterable[Case]]
    theirs: Runtime

    def row(self, version: str, most: int | None = None) -> Row:
        """`most` cases, or all of them."""
        compared = mismatches = 0
        for i, case in enumerate(self.cases()):
            if i == most:
                break
            size, wrong = compare(case, self.profile, self.theirs)
            compared, mismatches = compared + size, mismatches + wrong
        return Row(self.profile, self.label, self.runtime, version, compared, mismatches)


def no_model(graph: IntegerGraph, case: Case) -> bytes:
    """Stands where LiteRT would have a model."""
    raise AssertionError("this case is not for LiteRT")


def compare(case: Case, profile: str, theirs: Runtime) -> tuple[int, int]:
    """Integers compared, and how many of the oracle or the fast path differ."""
    import torch

    from qflow.emulation.runtimes.torch import TorchRuntime

    graph = graph_of(case, profile)
    real = {
        f"x{i}": ((q.astype(np.int64) - on.zero_point) * np.float32(on.scale)).astype(np.float32)
        for i, (q, on) in enumerate(zip(case.operands, case.sources, strict=True))
    }
    slow = oracle.run(graph, real, ["op"])["op"].astype(np.int64)
    quick = TorchRuntime(graph).run({k: torch.from_numpy(v) for k, v in real.items()}, ["op"])
    wanted = theirs(graph, case).astype(np.int64).reshape(slow.shape)
    wrong = max(
        np.count_nonzero(slow != wanted),
        np.count_nonzero(quick["op"].numpy().astype(np.int64) != wanted),
    )
    return wanted.size, int(wrong)
