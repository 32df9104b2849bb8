"""TOSA, onnxruntime, ONNX and exact arithmetic: no integer differs.

Every operator of every runtime once, in turn with another dtype and profile; `python -m
tests.conformance` runs all of them, with all of their cases.
"""

from __future__ import annotations

import pytest

from tests.conformance import exact, onnx_reference, onnxruntime, tosa
from tests.conformance.both_sides import Check

MOST_CASES, MOST_VALUES = 2, 3000
"""Functions of 8 bits have 400 pairs of grids in the table, others 100,000 values and more; here so
many keep the time short."""
SCALES = 4
"""Of 64 in the table."""


def _named(checks: tuple[Check, ...]) -> list[object]:
    groups: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        operator = check.label.removesuffix(", symmetric").rpartition(" ")[0]
        groups.setdefault((operator, check.runtime), []).append(check)
    some = [group[i % len(group)] for i, group in enumerate(groups.values())]
    return [pytest.param(c, id=f"{c.label}-{c.profile}-{c.runtime}") for c in some]


def _agrees(check: Check) -> None:
    found = check.row("", MOST_CASES, MOST_VALUES)
    assert found.compared > 0
    assert found.mismatches == 0


@pytest.mark.parametrize("check", _named(tosa.CHECKS))
def test_tosa(check: Check) -> None:
    pytest.importorskip("tosa_reference_model")
    _agrees(check)


@pytest.mark.parametrize("check", _named(onnxruntime.CHECKS))
def test_onnxruntime(check: Check) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    _agrees(check)


@pytest.mark.parametrize("check", _named(onnx_reference.CHECKS))
def test_onnx(check: Check) -> None:
    pytest.importorskip("onnx")
    if check.runtime == onnx_reference.UNFUSED:
        pytest.importorskip("onnxruntime")
    _agrees(check)


@pytest.mark.parametrize(("name", "dtype", "two"), exact.CHECKS)
def test_fractions(name: str, dtype: str, two: bool) -> None:
    found = exact.row(name, dtype, two, SCALES)
    assert found.compared > 0
    assert found.mismatches == 0


@pytest.mark.parametrize("check", _named(exact.OPERATORS))
def test_operators_in_fractions(check: Check) -> None:
    _agrees(check)
