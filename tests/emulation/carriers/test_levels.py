"""Levels against every accumulator there is, and the affine formula against all of them too."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from qflow.emulation.carriers.affine import affine, fused, separate
from qflow.emulation.carriers.levels import levels
from qflow.emulation.profile import Ratio, profile
from tests.emulation.build import PROFILES

REACH = 12_000


def rule_of(name: str, ratios: np.ndarray):
    """The rescale of a profile, a channel per ratio, and its constants as columns."""
    rule = profile(name)
    made = rule.rescale_constants(
        Ratio((np.ones(1, np.float32), ratios), (np.ones(1, np.float32),))
    )
    columns = {k: v.reshape(-1, 1) for k, v in made.items()}
    return lambda acc: rule.rescale(acc, columns)


def ratios() -> np.ndarray:
    """Powers of two, whose ties are exact, and others, small and large."""
    random = np.random.default_rng(0)
    return np.concatenate(
        [np.exp2(-np.arange(0, 14)), np.exp2(random.uniform(-14, 2, 20)), [1.0, 3.0, 0.5]]
    ).astype(np.float32)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("clamp", [(-128, 127), (0, 127), (0, 6), (-3, 251)])
def test_each_level_begins_where_the_rule_first_gives_it(name: str, clamp: tuple[int, int]) -> None:
    rule, count = rule_of(name, ratios()), len(ratios())
    low, high = np.full(count, -REACH), np.full(count, REACH)
    low[::3], high[::4] = 5, -7  # some channels are never below, or never above 0
    low = np.minimum(low, high)
    found = levels(rule, low, high, *clamp)
    every = np.broadcast_to(np.arange(-REACH, REACH + 1), (count, 2 * REACH + 1))
    outputs = rule(every)
    for channel in range(count):
        inside = (every[channel] >= low[channel]) & (every[channel] <= high[channel])
        where, what = every[channel][inside], outputs[channel][inside]
        at = np.searchsorted(what, found.numbers, side="left")
        want = np.append(where, high[channel] + 1)[at]
        assert np.array_equal(found.first[channel], want)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("clamp", [(-128, 127), (0, 127), (0, 255)])
def test_a_proved_channel_is_right_for_every_accumulator(name: str, clamp: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    rule, count = rule_of(name, ratios()), len(ratios())
    bias = random.integers(-3000, 3000, count)
    low, high = np.full(count, -REACH), np.full(count, REACH)
    steps = levels(rule, low, high, *clamp)
    found = affine(steps, bias)
    # rounding twice makes exact ties go away from zero, which no straight line with a bias does
    assert found.proved.mean() > (0.1 if name == "tosa.double" else 0.9)
    every = np.broadcast_to(np.arange(-REACH, REACH + 1), (count, 2 * REACH + 1))
    want = np.clip(rule(every), *clamp)
    for formula in (separate, fused):
        real = formula(every - bias[:, None], found.scale, found.offset)
        got = np.clip(np.rint(real), *clamp)
        assert np.array_equal(got[found.proved], want[found.proved])


def test_a_wrong_formula_is_not_proved() -> None:
    """One last place more in the scale, or half a step in the offset, is seen where it matters."""
    rule = rule_of("tosa.single", np.float32([0.0007, 0.003]))
    steps = levels(rule, np.full(2, -(1 << 22)), np.full(2, 1 << 22), -128, 127)
    found = affine(steps, np.zeros(2, np.int64))
    assert found.proved.all()
    for scale, offset in (
        (found.scale * np.float32(1 + 2.0**-12), found.offset),
        (found.scale, found.offset + np.float32(0.01)),
        (found.scale, found.offset - np.float32(0.01)),
    ):
        held = steps.holds(lambda acc, s=scale, o=offset: np.rint(separate(acc, s, o)))
        assert not held.any()


def test_a_rule_that_falls_is_not_proved() -> None:
    steps = levels(lambda acc: -acc // 100, np.full(1, -500), np.full(1, 500), -3, 3)
    assert not affine(steps, np.zeros(1, np.int64)).proved.any()


def test_fused_rounds_once() -> None:
    """Against exact fractions, where rounding twice differs as well."""
    random = np.random.default_rng(2)
    acc = random.integers(-(1 << 22), 1 << 22, 4000)
    scale = np.exp2(random.uniform(-12, -6, 4000)).astype(np.float32)
    # a sum that almost vanishes, and ones of very different size
    offset = np.where(random.random(4000) < 0.5, -acc * scale, random.normal(size=4000) * 1e-3)
    offset = offset.astype(np.float32)
    got = fused(acc[:, None], scale, offset)[:, 0]
    exact = [
        Fraction(int(a)) * Fraction(float(s)) + Fraction(float(o))
        for a, s, o in zip(acc, scale, offset, strict=True)
    ]
    assert np.array_equal(got, np.array([nearest32(v) for v in exact], np.float32))


def nearest32(value: Fraction) -> np.float32:
    """Correctly rounded: of two neighbours the nearer, or the even one."""
    guess = np.float32(float(value))
    near = [
        guess,
        np.nextafter(guess, np.float32(-np.inf)),
        np.nextafter(guess, np.float32(np.inf)),
    ]
    return min(near, key=lambda n: (abs(Fraction(float(n)) - value), n.view(np.int32) & 1))
