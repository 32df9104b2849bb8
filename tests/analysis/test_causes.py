"""Every cause names its own case, and none names another's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qflow import registry
from qflow.analysis.causes import UNKNOWN, Case, explain
from qflow.emulation.graph import Node, TensorType
from qflow.quantization.prepared import PreparedNode

GRID = TensorType("int8", (4,), np.array([0.1], np.float32))


def case(exact: list[float], ours: list[float], theirs: list[float], **changes) -> Case:
    clamp = {"low": -128, "high": 127, "accumulator_bits": 32}
    plain = Case(
        node=Node("a", "a", "conv2d", (), GRID, clamp),
        prepared=PreparedNode("a", "a", "conv2d", ()),
        lanes=("fake_quant", "integer"),
        ours=np.array(ours),
        theirs=np.array(theirs),
        exact=np.array(exact),
        bias_error=np.zeros(len(exact)),
        accumulator=np.array(exact) * 100,
        same_scale=True,
    )
    return replace(plain, **changes)


CASES = {
    "tie_rounding": case([2.5, -7.5], [2, -8], [3, -7]),
    "multiplier_precision": case([100.502, 90.4975], [101, 90], [100, 91]),
    "saturation": case([130.2, -140.0], [127, -128], [120, -120]),
    "accumulator": case([50.0, 60.0], [50, 60], [9, 9], accumulator=np.array([3e9, -4e9])),
    "different_scale": case([5.2, 6.1], [5, 6], [7, 8], same_scale=False),
    "quantization": case([5.2, 6.1], [5.2, 6.1], [5, 6], lanes=("float", "integer")),
    "missing_fusion": case(
        [5.2, 6.1],
        [5, 6],
        [6, 5],
        lanes=("integer", "onnxruntime"),
        prepared=PreparedNode("a", "a", "conv2d", (), residual=True),
    ),
    "bias_precision": case(
        [4.62, 9.41], [5, 9], [4, 10], bias_error=np.array([0.2, -0.2]), lanes=("integer", "x")
    ),
}


def test_every_cause_has_a_case() -> None:
    assert set(CASES) == set(registry.names("analysis.causes"))


@pytest.mark.parametrize("name", CASES)
def test_a_cause_is_named_for_its_own_case(name: str) -> None:
    found = explain(CASES[name])
    assert found.name == name
    assert found.share == 1.0
    assert found.says[0].islower()


def test_what_nothing_explains_is_said_to_be_unexplained() -> None:
    found = explain(case([5.2, 6.1, 7.3], [5, 6, 7], [9, 9, 9]))
    assert (found.name, found.share) == (UNKNOWN, 0.0)


def test_half_of_what_differs_must_be_explained() -> None:
    assert explain(case([2.5, 5.2], [2, 5], [3, 9])).name == "tie_rounding"
    found = explain(case([2.5, 5.2, 6.1], [2, 5, 6], [3, 9, 9]))
    assert (found.name, round(found.share, 3)) == (UNKNOWN, 0.333)


def test_an_operator_that_sums_nothing_has_no_accumulator() -> None:
    found = explain(case([2.5], [2], [3], accumulator=np.empty(0)))
    assert found.name == "tie_rounding"
