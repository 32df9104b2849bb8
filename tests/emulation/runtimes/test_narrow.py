"""Rescales in float32 against the oracle, on every value that can come."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qflow.emulation.op import Example
from qflow.emulation.runtimes._narrow import narrow
from tests.emulation.alone import CPU, call_of
from tests.emulation.build import lowered, one_op

RATIOS = (0.0101, 1 / 64, 1 / 3, 1.0, 2.5)
BOUND = 1 << 15


def call(ratio: float, dtype: str = "int8"):
    """A product of two int8 operands, on an output grid of its own."""
    example = Example(((2, 3), (2, 3)))
    return call_of(lowered(one_op("mul", example, (0.5, 2.0), 1 / ratio, dtype=dtype)), "mul")


@pytest.mark.parametrize("ratio", RATIOS)
def test_every_value_is_rescaled_as_the_oracle_does(ratio: float) -> None:
    made = call(ratio)
    run = narrow(made, BOUND, CPU)
    assert run is not None
    every = np.arange(-BOUND, BOUND + 1)
    clamp = made.node.attributes["low"], made.node.attributes["high"]
    want = np.clip(made.profile.rescale(every, made.constants) + made.zero_point, *clamp)
    given = torch.from_numpy(every.astype(np.float32))
    found = run(given)
    assert found.dtype == torch.int8
    assert np.array_equal(found.numpy(), want)
    assert np.array_equal(given.numpy(), every)


def test_what_float32_does_not_hold_is_left_to_the_rule() -> None:
    assert narrow(call(1.0, "int16"), BOUND, CPU) is None
    assert narrow(call(1.0), 1 << 24, CPU) is None
