"""LiteRT: no integer differs under any resolver."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.conformance.litert import CHECKS, Check
from tests.conformance.litert_case import row

MOST_CASES = 64
"""Functions of int8 have 400 pairs of grids in the table; here so many keep the time short."""
PAIRS = [(check, profile) for check in CHECKS for profile in check.profiles]


@pytest.mark.parametrize(("check", "profile"), PAIRS, ids=[f"{c.label}-{p}" for c, p in PAIRS])
def test_no_integer_differs(check: Check, profile: str) -> None:
    pytest.importorskip("ai_edge_litert")
    found = row(profile, check.label, islice(check.cases(), MOST_CASES))
    assert found.compared > 0
    assert found.mismatches == 0
