"""LiteRT: no integer differs under any resolver."""

from __future__ import annotations

import pytest

from tests.conformance.litert import CHECKS, Check
from tests.conformance.litert_case import row

PAIRS = [(check, profile) for check in CHECKS for profile in check.profiles]


@pytest.mark.parametrize(("check", "profile"), PAIRS, ids=[f"{c.label}-{p}" for c, p in PAIRS])
def test_no_integer_differs(check: Check, profile: str) -> None:
    pytest.importorskip("ai_edge_litert")
    found = row(profile, check.label, check.cases())
    assert found.compared > 0
    assert found.mismatches == 0
