"""One case on both sides: the lowered graph's oracle and fast path, and a runtime's integers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from qflow.emulation.graph import IntegerGraph
from qflow.emulation.runtimes import numpy as oracle
from tests.conformance.litert_case import Case, graph_of
from tests.conformance.litert_graph import reals_of
from tests.conformance.table import Row

Runtime = Callable[[IntegerGraph, Case], np.ndarray]
"""The runtime's integers of the operator `op`, in the order of axes that qflow has."""
SIZED = {"shape", "starts", "sizes"}
"""Attributes that hold the size of the batch, or may."""


@dataclass(frozen=True)
class Check:
    """Cases of one operator and dtype for one profile, and who computes them too."""

    profile: str
    label: str
    runtime: str
    cases: Callable[[], Iterable[Case]]
    theirs: Runtime

    def row(self, version: str, most: int | None = None, values: int | None = None) -> Row:
        """`most` cases, or all of them; of each about `values` values of an operand, or all."""
        compared = mismatches = 0
        for i, case in enumerate(self.cases()):
            if i == most:
                break
            made = case if values is None else thinned(case, values)
            size, wrong = compare(made, self.profile, self.theirs)
            compared, mismatches = compared + size, mismatches + wrong
        return Row(self.profile, self.label, self.runtime, version, compared, mismatches)


def no_model(graph: IntegerGraph, case: Case) -> bytes:
    """Stands where LiteRT would have a model."""
    raise AssertionError("this case is not for LiteRT")


def compare(case: Case, profile: str, theirs: Runtime) -> tuple[int, int]:
    """Integers compared, and how many of the oracle or the fast path differ."""
    import torch

    from qflow.emulation.runtimes.torch import TorchRuntime

    graph, real = graph_of(case, profile), reals_of(case)
    slow = oracle.run(graph, real, [case.id])[case.id].astype(np.int64)
    given = {k: torch.from_numpy(v) for k, v in real.items()}
    quick = TorchRuntime(graph).run(given, [case.id])[case.id].numpy().astype(np.int64)
    wanted = theirs(graph, case).astype(np.int64).reshape(slow.shape)
    wrong = max(np.count_nonzero(slow != wanted), np.count_nonzero(quick != wanted))
    return wanted.size, int(wrong)


def thinned(case: Case, values: int) -> Case:
    """Every n-th sample of the case, so that its largest operand has about so many values."""
    samples = len(case.operands[0])
    step = min(samples, -(-max(x.size for x in case.operands) // values))
    if step < 2 or SIZED & case.attributes.keys():
        return case
    kept = tuple(x[::step] if len(x) == samples else x for x in case.operands)
    return replace(case, operands=tuple(np.ascontiguousarray(x) for x in kept))
