"""Loops on one thread and on two, whatever the tests themselves run on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

pytest.importorskip("numba", reason="compiled loops are an extra")


@pytest.fixture(scope="module", params=[1, 2], autouse=True)
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)
