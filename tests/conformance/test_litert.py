"""LiteRT: no integer differs under any resolver."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from qflow.emulation.op import op
from qflow.emulation.runtimes import numpy as oracle
from tests.conformance import litert_ties
from tests.conformance.litert import CHECKS, Check
from tests.conformance.litert_case import Case, graph_of, node_of, row
from tests.conformance.litert_graph import reals_of

MOST_CASES = 6
"""The table has all of them: 400 pairs of grids of a function of int8; here few keep it short."""
PAIRS = [(check, profile) for check in CHECKS for profile in check.profiles]
ENOUGH = 100_000
"""Accumulators on or next to a tie that a row of the table compares at least."""


@pytest.mark.parametrize(("check", "profile"), PAIRS, ids=[f"{c.label}-{p}" for c, p in PAIRS])
def test_no_integer_differs(check: Check, profile: str) -> None:
    pytest.importorskip("ai_edge_litert")
    found = row(profile, check.label, islice(check.cases(), MOST_CASES))
    assert found.compared > 0
    assert found.mismatches == 0


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("name", litert_ties.CHANNELS)
def test_every_accumulator_is_next_to_a_tie(name: str, dtype: str) -> None:
    open_ones = taken = 0
    for case in islice(litert_ties.cases(name, dtype), 4):
        accumulators, outputs, (low, high) = run(case)
        # one accumulator, and what a scale of 24 bits misses
        missed = np.abs(accumulators) * 2.0**-23
        assert np.all(litert_ties.distances(case, accumulators) < 1.01 + missed)
        open_ones += np.count_nonzero((outputs > low) & (outputs < high))
        taken += 1
    assert open_ones * litert_ties.CASES // taken > ENOUGH


def run(case: Case) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Accumulators and outputs, int64 with the channels last, and the ends of the outputs."""
    graph = graph_of(case, "tflite.builtin")
    node = node_of(graph)
    found = oracle.run(graph, reals_of(case), [case.id])[case.id].astype(np.int64)
    source = case.sources[0]
    weight, bias = (graph.constants[node.constants[r]] for r in ("weight", "bias"))
    sums = op(case.op).real(
        case.attributes,
        case.operands[0].astype(np.float64) - source.zero_point,
        weight=case.weight if case.op == "conv_transpose2d" else weight.astype(np.float64),
        bias=bias.astype(np.float64),
    )
    assert isinstance(sums, np.ndarray)
    ends = node.attributes["low"], node.attributes["high"]
    return np.moveaxis(sums, 1, -1).astype(np.int64), np.moveaxis(found, 1, -1), ends
