"""Chip models that overwrite an operand: with what they then read, every value is the profile's.

The compiled networks keep one buffer for a tensor that several operators read, and an operator that
works in place changes it for the others. The rules themselves are those of the profiles.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qflow import march as marches
from qflow.emulation.lowering import lower
from tests.emulation.sophgo.comparing import MARCHES
from tests.emulation.sophgo.loading import prepared
from tests.emulation.sophgo.running import Stepper
from tests.emulation.sophgo.vectors import Case, read

CASES = {case.name: case for case in read(Path(__file__).parent / "overwritten")}
MINMAX = ("minmax__pow2__bm1684", "minmax__rand__bm1684")
SHIFT = 6
"""Of the numbers in these networks: their operands lie on the output's grid."""


def stepper(case: Case) -> Stepper:
    march = marches.load(MARCHES[case.processor])
    return Stepper(lower(prepared(case), march, march.profile, unlisted="float").graph)


def on_chip(case: Case, name: str) -> np.ndarray:
    found = case.tensor(name, "cm")
    assert found is not None
    return found.astype(np.int64)


def operand(case: Case, run: Stepper, name: str) -> np.ndarray:
    """The integers of an input of the network."""
    return run.oracle(f"{name}.quant", case.arrays[f"in.{name}"])


@pytest.mark.parametrize("name", MINMAX)
def test_the_larger_of_two_leaves_the_second_in_place_of_the_first(name: str) -> None:
    case = CASES[name]
    run = stepper(case)
    other = operand(case, run, "y")
    assert np.array_equal(run.oracle("mn_Min", other, other), on_chip(case, "mn_Min"))
    assert np.array_equal(run.oracle("mxc_Max", other), on_chip(case, "mxc_Max"))


@pytest.mark.parametrize("name", MINMAX)
def test_the_larger_of_a_number_leaves_low_bytes_of_its_product(name: str) -> None:
    case = CASES[name]
    run = stepper(case)
    value = run.calls["mxc_Max"].constants["value"]
    wide = np.maximum(operand(case, run, "y") << SHIFT, value)
    low = ((wide + 128) % 256) - 128
    assert np.array_equal(run.oracle("mnc_Min", low), on_chip(case, "mnc_Min"))


@pytest.mark.parametrize(
    ("name", "slopes", "readers"),
    [
        ("relus__rand__cv183x", "pr_PRelu", ("lk_LeakyRelu", "rl_Relu", "ab_Abs")),
        ("tie_act__tie__cv183x", "pr_PRelu", ("lk_LeakyRelu",)),
    ],
)
def test_a_prelu_leaves_what_it_makes_of_its_lower_side(
    name: str, slopes: str, readers: tuple[str, ...]
) -> None:
    case = CASES[name]
    run = stepper(case)
    left = run.oracle(slopes, np.minimum(operand(case, run, "x"), 0))
    for reader in readers:
        assert np.array_equal(run.oracle(reader, left), on_chip(case, reader)), reader


def test_a_transposed_convolution_of_bm1684_agrees_where_the_chip_model_writes() -> None:
    case = CASES["deconv__rand__bm1684"]
    run = stepper(case)
    whole, depthwise = on_chip(case, "d1_Relu"), on_chip(case, "d2_ConvTranspose")
    first = run.oracle("d1_Relu", operand(case, run, "x"))[:, 0]
    assert np.array_equal(first, whole[:, 0])
    assert first.max() > 127, "the interpreter stops there"
    assert np.array_equal(run.oracle("d2_ConvTranspose", whole), depthwise)
