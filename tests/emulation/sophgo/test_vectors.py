"""Vectors of the vendor's compiler: parameters, single operators, whole networks, chip model.

The cases in `data` are chosen so that every operator is there on every family in every mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.emulation.sophgo.comparing import CHIP, compare
from tests.emulation.sophgo.table import rows, text
from tests.emulation.sophgo.vectors import FAMILIES, Case, read

CASES = {case.name: case for case in read(Path(__file__).parent / "data")}
OTHERWISE_ON_CHIP: Mapping[str, frozenset[str]] = {
    "bm1684": frozenset({"Deconv", "Lut", "Max", "Min", "MaxConst", "MinConst"}),
    "cv183x": frozenset({"Active", "Cast", "LeakyRelu", "MatMul", "PReluOp", "Relu"}),
}
"""Operators whose chip model is not reproduced somewhere: other tests say where and why."""


@pytest.mark.parametrize("name", CASES)
def test_every_value_is_the_vendors(name: str) -> None:
    case = CASES[name]
    result = compare(case)
    wrong = {
        key: count
        for key, count in result.different.items()
        if count and not (key[0] == CHIP and key[1] in _otherwise(case))
    }
    assert not wrong, "\n".join(result.notes)
    assert result.compared


@pytest.mark.parametrize("family", sorted(set(FAMILIES.values())))
def test_operators_of_a_family_are_there(family: str) -> None:
    lowered = {op["type"] for case in CASES.values() if case.family == family for op in case.ops}
    common = {"Add", "Concat", "Conv2D", "Deconv", "LeakyRelu", "Lut", "MatMul", "Pool2D", "Relu"}
    assert {f"tpu.{name}" for name in common} <= lowered


def test_a_wrong_value_is_found() -> None:
    case = next(c for c in CASES.values() if c.processor == "bm1684x" and "t.a1_Add" in c.arrays)
    arrays = dict(case.arrays)
    arrays["t.a1_Add"] = arrays["t.a1_Add"] ^ 1
    case.__dict__["arrays"] = arrays
    try:
        table = text(rows([(case, compare(case))]))
    finally:
        del case.__dict__["arrays"]
    assert "| mul32 | interpreter | Add |" in table
    assert not table.splitlines()[-1].endswith("| 0 |")


def _otherwise(case: Case) -> frozenset[str]:
    return OTHERWISE_ON_CHIP.get(case.processor, frozenset())
