"""What TFLite and XNNPACK compute by rules of their own: two implementations, one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from qflow import registry
from qflow.diagnostics import QflowError
from qflow.emulation import file
from qflow.emulation.lowering import lower
from qflow.emulation.op import op
from qflow.emulation.own.xnnpack._mean import FloatMean
from qflow.emulation.profile import Limits, profile
from qflow.emulation.runtimes import numpy as oracle
from tests.emulation.build import march
from tests.emulation.case import case
from tests.emulation.test_every_op import agree, same, same_graph

PROFILES = ("tflite.reference", "tflite.builtin", "xnnpack")
STEPS = registry.names("emulation.steps")
CASES = [
    (rule, name)
    for rule in PROFILES
    for name in sorted({n for f in profile(rule).own for n in registry.names(f"emulation.own.{f}")})
    if name not in STEPS
]
KINDS = (("int8", False), ("int8", True), ("int16", False), ("uint8", True))


@pytest.mark.parametrize(("rule", "name"), CASES)
def test_oracle_fast_path_and_file_agree(rule: str, name: str, tmp_path: Path) -> None:
    operator, own = op(name), op(name, profile(rule).own)
    ran = 0
    for example in operator.examples:
        for dtype, shifted in KINDS:
            made = case(operator, example, dtype, shifted, "int8", seed=2)
            try:
                graph = lower(made.graph, march(), rule).graph
            except QflowError as why:
                if {d.code for d in why.diagnostics} == {"QF502"}:
                    continue  # a form TFLite does not compute
                raise
            slow = agree(graph, made.inputs)
            file.save(graph, tmp_path / "x.qnn")
            again = file.load(tmp_path / "x.qnn")
            same_graph(graph, again)
            assert same(oracle.run(again, made.inputs), slow)
            ran += any(type(call) is type(own) for call in operators_of(graph))
    assert ran


def operators_of(graph) -> list[object]:
    rule = profile(graph.profile)
    return [op(n.op, rule.own) for n in graph.nodes if n.op not in STEPS]


def test_shift_is_exact_between_powers_of_two() -> None:
    import numpy as np

    from qflow.emulation.profile import Ratio

    rule, values = profile("shift"), np.arange(-4096, 4096)
    for exponent in range(-6, 7):
        scales = np.array([2.0**exponent], np.float32), np.ones(1, np.float32)
        found = rule.rescale(values, rule.rescale_constants(Ratio(scales[:1], scales[1:])))
        assert np.array_equal(found, np.floor(values * 2.0**exponent + 0.5).astype(np.int64))


@pytest.mark.parametrize("name", ["tflite.reference", "tflite.builtin"])
def test_a_residual_that_saturates_when_it_is_raised(name: str) -> None:
    """Constants that no march makes and a file may hold: both paths saturate alike."""
    rule = profile(name)
    constants = {
        "multiplier": np.array([1 << 30], np.int32),
        "shift": np.array([43], np.int32),
        "residual_multiplier": np.array([1 << 15], np.int32),
        "residual_shift": np.array([2], np.int32),
    }
    residual = np.arange(-128, 128)
    acc = np.linspace(-(1 << 17), 1 << 17, 256).astype(np.int64)
    wanted = np.clip(rule.rescale_with_residual(acc, residual, constants, 32), -128, 127)
    join = rule.fast_rescale_with_residual(
        constants, Limits(1 << 17, -128, 127), Limits(128, -128, 127), 32, torch.device("cpu")
    )
    found = join(torch.from_numpy(acc).float(), torch.from_numpy(residual).float())
    assert np.array_equal(found.long().numpy(), wanted)


@pytest.mark.parametrize("ratio", [0.0, -1.0, np.inf, np.nan, 1e30])
def test_a_mean_whose_ratio_no_rescale_has_is_refused(ratio: float) -> None:
    rule = FloatMean()
    assert rule.check("ratio", np.array([0.5], np.float32)) == ""
    assert "ratio" in rule.check("ratio", np.array([ratio], np.float32))
