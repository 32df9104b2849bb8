"""LiteRT: no integer differs under any resolver."""

from __future__ import annotations

import pytest

from tests.conformance.litert import CHECKS, Check
from tests.conformance.litert_case import row
from tests.conformance.litert_runtime import RESOLVERS


@pytest.mark.parametrize("profile", RESOLVERS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.label)
def test_no_integer_differs(check: Check, profile: str) -> None:
    pytest.importorskip("ai_edge_litert")
    found = row(profile, check.label, check.cases())
    assert found.compared > 0
    assert found.mismatches == 0
