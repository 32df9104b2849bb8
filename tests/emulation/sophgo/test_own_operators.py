"""Operators of the Sophgo profiles: both implementations agree beyond what calibration would give."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import pytest
import torch

from qflow import march as marches
from qflow.dtype import DTYPES
from qflow.emulation.file import load, save
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.profile import Limits
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.emulation.sophgo.rescale import fast_rescale, rescaled
from qflow.emulation.sophgo.rounding import ShiftRounding
from qflow.emulation.sophgo.search import search8, search32
from tests.emulation.sophgo.comparing import INTERPRETER, MARCHES
from tests.emulation.sophgo.loading import prepared
from tests.emulation.sophgo.running import Stepper
from tests.emulation.sophgo.vectors import Case, read

CASES = {c.name: c for c in read(Path(__file__).parent / "data") if c.family == "mul32"}
FLOATS = ("quantize", "dequantize", "island", "input")
CPU = torch.device("cpu")


def graph_of(case: Case, suffix: str = "") -> IntegerGraph:
    march = marches.load(MARCHES[case.processor])
    return lower(prepared(case), march, march.profile + suffix, unlisted="float").graph


@pytest.mark.parametrize("suffix", ["", INTERPRETER])
@pytest.mark.parametrize("name", CASES)
def test_extremes(name: str, suffix: str) -> None:
    graph = graph_of(CASES[name], suffix)
    stepper, random = Stepper(graph), np.random.default_rng(0)
    for call in stepper.calls.values():
        if call.node.op in FLOATS or any(s.scale is None for s in call.sources):
            continue
        kinds = [DTYPES[s.dtype] for s in call.sources]
        ranges = [(k.qmin, k.qmax) for k in kinds]
        operands = [
            random.choice([k.qmin, k.qmin + 1, -1, 0, 1, k.qmax - 1, k.qmax], s.shape).clip(k.qmin)
            for k, s in zip(kinds, call.sources, strict=True)
        ]
        expected = call.operator.oracle(call, *operands)
        low, high = call.operator.values(call, ranges)
        assert low <= expected.min() <= expected.max() <= high, call.node
        fast = call.operator.fast(call, ranges, CPU).run
        for dtypes in (["float32"] * len(kinds), [k.name for k in kinds]):
            given = [
                torch.from_numpy(np.ascontiguousarray(x)).to(getattr(torch, d))
                for x, d in zip(operands, dtypes, strict=True)
            ]
            np.testing.assert_array_equal(fast(*given).double().numpy(), expected, call.node.op)


ONE_BATCH = [n for n, c in CASES.items() if len({s[0] for s in c.network.inputs.values()}) == 1]
"""A file holds networks whose inputs have one batch."""


@pytest.mark.parametrize("name", ONE_BATCH)
def test_file_and_runtimes(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    graph = graph_of(case)
    path = tmp_path / "net"
    save(graph, path)
    loaded = load(path)
    inputs = {k[3:]: v for k, v in case.arrays.items() if k.startswith("in.")}
    wanted = oracle.run(graph, inputs)
    tensors = {k: torch.from_numpy(v) for k, v in inputs.items()}
    found = TorchRuntime(loaded).run(tensors)
    for output, values in wanted.items():
        np.testing.assert_array_equal(found[output].numpy(), values)


@pytest.mark.parametrize("rounding", ["half_up", "half_away"])
@pytest.mark.parametrize("search", [search8, search32])
def test_near_ties(search: object, rounding: ShiftRounding) -> None:
    random = np.random.default_rng(1)
    count = 0
    while count < 100_000:
        ratio = float(
            np.exp2(random.uniform(-14, 0)) if count % 2 else 2.0 ** -random.integers(0, 12)
        )
        multiplier, shift = (np.atleast_1d(a) for a in search(ratio))  # type: ignore[operator]
        steps = np.rint((random.integers(-300, 300, 4096) + 0.5) / ratio).astype(np.int64)
        values = steps + random.integers(-1, 2, steps.size)
        exact = [
            _exact(int(v), int(multiplier[0]), int(shift[0]), rounding) for v in values.tolist()
        ]
        found = rescaled(values, multiplier, shift, rounding)
        assert found.tolist() == exact
        limits = Limits(int(np.abs(values).max()), -128, 127)
        run = fast_rescale(multiplier, shift, rounding, limits, CPU)
        fast = run(torch.from_numpy(values).double())
        np.testing.assert_array_equal(fast.numpy(), np.clip(found, -128, 127))
        count += values.size


def _exact(value: int, multiplier: int, shift: int, rounding: str) -> int:
    real = Fraction(value * multiplier) / Fraction(2) ** shift
    if rounding == "half_up" or real >= 0:
        return floor(real + Fraction(1, 2))
    return -floor(-real + Fraction(1, 2))
