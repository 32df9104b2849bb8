"""Profiles: derived constants, exact arithmetic, oracle against fast path on near ties."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qflow.emulation.line import exact_in_float64
from qflow.emulation.profile import Limits, Ratio, profile
from tests.emulation import ties
from tests.emulation.build import PROFILES

pytestmark = pytest.mark.usefixtures("both_paths")

CPU = torch.device("cpu")
INTEGER = ("mul15", "tosa.single", "tosa.double")


def scales(*values: float) -> tuple[np.ndarray, ...]:
    return tuple(np.array([v], np.float32) for v in values)


def constants(name: str, ratio: float) -> dict[str, np.ndarray]:
    """Of a ratio split into the three scales of a convolution."""
    source = scales(0.0371, ratio / 0.0371 * 0.0213)
    return profile(name).rescale_constants(Ratio(source, scales(0.0213)))


def reference(name: str, acc: int, made: dict[str, np.ndarray]) -> int:
    one = {role: array[0] for role, array in made.items()}
    if name in INTEGER:
        rule = getattr(ties, name.replace(".", "_"))
        return rule(acc, int(one["multiplier"]), int(one["shift"]))
    if name == "onnxruntime":
        return ties.onnxruntime(acc, float(one["ratio"]))
    return ties.onnx_qdq(acc, float(one["source_scale"]), float(one["target_scale"]))


def test_the_printed_example() -> None:
    source, target = scales(0.1, 1.0), scales(0.20284509658813477)
    made = profile("mul15").rescale_constants(Ratio(source, target))
    assert (made["multiplier"].tolist(), made["shift"].tolist()) == ([32308], [16])


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("name", PROFILES)
def test_no_mismatch_on_near_ties(name: str, dtype: str) -> None:
    """More than 100,000 accumulators per profile and dtype, and a sample in exact arithmetic."""
    rule, high = profile(name), 127 if dtype == "int8" else 32767
    limits = Limits(1 << 31, -high - 1, high)
    total = 0
    for i, ratio in enumerate(ties.ratios(60)):
        made = constants(name, ratio)
        acc = ties.near_ties(ratio, 2000, high, seed=i)
        slow = np.clip(rule.rescale(acc, made), -high - 1, high)
        fast = rule.fast_rescale(made, limits, CPU)(torch.from_numpy(acc.astype(np.float64)))
        assert np.array_equal(slow, fast.numpy())
        exact = [min(max(reference(name, int(a), made), -high - 1), high) for a in acc[:40]]
        assert slow[:40].tolist() == exact
        total += acc.size
    assert total >= 100_000


@pytest.mark.parametrize("name", PROFILES)
def test_narrow_accumulators_in_float32(name: str) -> None:
    rule, limits = profile(name), Limits((1 << 24) - 1, -128, 127)
    for i, ratio in enumerate(ties.ratios(40, seed=1)):
        made = constants(name, ratio)
        acc = np.clip(ties.near_ties(ratio, 500, 127, seed=i), -(1 << 24) + 1, (1 << 24) - 1)
        fast = rule.fast_rescale(made, limits, CPU)(torch.from_numpy(acc.astype(np.float32)))
        assert np.array_equal(np.clip(rule.rescale(acc, made), -128, 127), fast.numpy())


def test_the_profiles_differ_on_near_ties() -> None:
    """Else the tests above would not tell them apart."""
    outputs = []
    for name in PROFILES:
        parts = []
        for i, ratio in enumerate(ties.ratios(60)):
            acc = ties.near_ties(ratio, 200, 127, seed=i)
            parts.append(profile(name).rescale(acc, constants(name, ratio)))
        outputs.append(np.concatenate(parts))
    for i, one in enumerate(outputs):
        for other in outputs[i + 1 :]:
            assert not np.array_equal(one, other)


@pytest.mark.parametrize("name", INTEGER)
@pytest.mark.parametrize("ratio", [2.0**-100, 2.0**-33, 2.0**-32, 2.0**28, 2.0**31, 2.0**90])
def test_ratios_beyond_every_shift(name: str, ratio: float) -> None:
    """To nothing below one half of a step, to saturation above: never an overflow."""
    rule = profile(name)
    multiplier, shift = rule.derive(np.array([ratio]))
    made = {"multiplier": multiplier.astype(np.int32), "shift": shift.astype(np.int32)}
    assert not rule.check("multiplier", made["multiplier"])
    assert not rule.check("shift", made["shift"])
    acc = np.array([ties.INT32[0], -7, -1, 0, 1, 7, ties.INT32[1]], np.int64)
    slow = np.clip(rule.rescale(acc, made), -128, 127)
    wanted = np.clip(np.floor(acc.astype(np.float64) * ratio + 0.5), -128, 127)
    if (name, ratio) == ("tosa.double", 2.0**-32):
        wanted[[0, -1]] = -1, 1  # almost one half: the first rounding makes it a whole one
    assert np.array_equal(slow, wanted)
    fast = rule.fast_rescale(made, Limits(1 << 31, -128, 127), CPU)
    assert np.array_equal(slow, fast(torch.from_numpy(acc.astype(np.float64))).numpy())


@pytest.mark.parametrize("name", INTEGER)
def test_derived_ratio_is_close(name: str) -> None:
    rule = profile(name)
    ratio = ties.ratios(1000, seed=3)
    multiplier, shift = rule.derive(ratio)
    assert (
        np.abs(multiplier * np.exp2(-shift.astype(np.float64)) / ratio - 1).max() <= 2.0**-rule.bits
    )
    low = 1 << (rule.bits - 1)
    assert multiplier.min() >= low
    assert multiplier.max() < 2 * low


def test_a_mantissa_that_rounds_up_to_the_next_power() -> None:
    multiplier, shift = profile("mul15").derive(np.array([1 - 2.0**-20]))
    assert (multiplier.tolist(), shift.tolist()) == ([1 << 14], [14])


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("name", PROFILES)
def test_sums_of_two_tensors(name: str, bits: int) -> None:
    rule, top = profile(name), (1 << (bits - 1)) - 1
    random = np.random.default_rng(bits)
    for _ in range(20):
        left, right, out = (s for s in scales(*np.exp2(random.uniform(-8, 1, 3))))
        made = rule.add_constants(left, right, out, bits)
        a, b = random.integers(-top - 1, top + 1, (2, 3000))
        slow = np.clip(rule.add(a, b, made), -top - 1, top)
        run = rule.fast_add(made, top + 1, Limits(top + 1, -top - 1, top), CPU)
        fast = run(torch.from_numpy(a).float(), torch.from_numpy(b).float())
        assert np.array_equal(slow, fast.numpy())
        parts = [a * float(left[0]) / float(out[0]), b * float(right[0]) / float(out[0])]
        real = np.clip(parts[0] + parts[1], -top - 1, top)
        allowed = 0.51 + (np.abs(parts[0]) + np.abs(parts[1]) + np.abs(real)) * 2.0 ** -width(name)
        assert np.all(np.abs(slow - real) <= allowed)


def width(name: str) -> int:
    """Bits of the multipliers that each term of a sum passes through."""
    return {"mul15": 15, "tosa.single": 31, "tosa.double": 31}.get(name, 22)


@pytest.mark.parametrize("name", PROFILES)
def test_residuals_join_the_accumulator(name: str) -> None:
    rule = profile(name)
    random = np.random.default_rng(4)
    for i in range(30):
        x, w, y, r = scales(0.03, float(np.exp2(random.uniform(-12, 0))), 0.05, 0.04)
        gemm = Ratio((x, w), (y,))
        made = rule.residual_constants(gemm, r)
        acc = ties.near_ties(float(gemm.exact[0]), 2000, 127, seed=i)
        added = random.integers(-128, 128, acc.size)
        slow = np.clip(rule.rescale_with_residual(acc, added, made, 32), 0, 127)
        run = rule.fast_rescale_with_residual(
            made, Limits(1 << 31, 0, 127), Limits(128, 0, 0), 32, CPU
        )
        fast = run(torch.from_numpy(acc.astype(np.float64)), torch.from_numpy(added).float())
        assert np.array_equal(slow, fast.numpy())


def test_float64_is_used_only_where_it_is_proved() -> None:
    """The rule against exact arithmetic: where it says yes, float64 gives the integer result."""
    random = np.random.default_rng(6)
    answers = set()
    for _ in range(3000):
        m, s = int(random.integers(1 << 30, 1 << 31)), int(random.integers(31, 62))
        limits = Limits(1 << int(random.integers(20, 32)), -128, 127)
        proved = exact_in_float64(np.array([m]), np.array([s]), limits)
        answers.add(proved)
        if not proved:
            continue
        k = int(random.integers(-140, 140))
        acc = min(
            max(((2 * k + 1) << (s - 1)) // m + int(random.integers(0, 2)), -limits.bound),
            limits.bound,
        )
        exact = min(max(ties.tosa_single(acc, m, s), -128), 127)
        in_float = np.clip(np.floor(np.float64(acc) * np.ldexp(float(m), -s) + 0.5), -128, 127)
        assert exact == in_float
    assert answers == {True, False}
    assert exact_in_float64(np.array([(1 << 31) - 1]), np.array([45]), Limits(1 << 31, -128, 127))
    assert not exact_in_float64(
        np.array([(1 << 31) - 1]), np.array([47]), Limits(1 << 31, -128, 127)
    )


def test_names_with_a_dot_and_as_files() -> None:
    assert profile("tosa.single").name == profile("tosa_single").name == "tosa.single"
    with pytest.raises(KeyError):
        profile("exact")
