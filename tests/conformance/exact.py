"""Exact arithmetic: every profile of integer multipliers against fractions, one value at a time.

`mul15` and `shift` have no public runtime: theirs is `exact_oracle`, operator by operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cache, partial
from math import floor

import numpy as np

from qflow.emulation.profile import Limits, Profile, Ratio, profile
from tests.conformance import shared_cases as given
from tests.conformance import tied_layers as tied
from tests.conformance import tosa_cases as more
from tests.conformance.both_sides import Check
from tests.conformance.exact_oracle import expected
from tests.conformance.litert_case import Case
from tests.conformance.table import Row
from tests.emulation import ties

Rule = Callable[[int, int, int], int]
"""The rescaled value of an accumulator, a multiplier and a shift."""
Cases = Callable[[], Iterable[Case]]
HALF = Fraction(1, 2)
SCALES, PER_SCALE = 64, 1700
RUNTIME = "fractions of Python"


def shift(acc: int, multiplier: int, right: int) -> int:
    """A shift to the left is exact, one to the right rounds half up."""
    return floor(Fraction(acc * multiplier) / Fraction(2) ** right + (HALF if right > 0 else 0))


def tflite_builtin(acc: int, multiplier: int, right: int) -> int:
    """The high product and the shift behind it, both half up."""
    if right <= 31:
        return ties.tosa_single(acc, multiplier, right)
    high = floor(Fraction(acc * multiplier, 1 << 31) + HALF)
    return floor(Fraction(high, 1 << (right - 31)) + HALF)


RULES: Mapping[str, Rule] = {
    "mul15": ties.mul15,
    "shift": shift,
    "tosa.single": ties.tosa_single,
    "tosa.double": ties.tosa_double,
    "tflite.reference": ties.tosa_double,
    "tflite.builtin": tflite_builtin,
}


@cache
def problem(name: str, high: int, two: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Source scales [SCALES], the target's, and accumulators [SCALES, PER_SCALE] next to ties.

    `two`: every scale is a power of two. Ties are those of the ratio that the constants stand for.
    """
    target = np.array([0.5 if two else 0.0213], np.float32)
    exact = np.ldexp(1.0, 1 - np.arange(SCALES) % 27) if two else ties.ratios(SCALES, 3)
    source = (exact * float(target[0])).astype(np.float32)
    made = profile(name).rescale_constants(Ratio((source,), (target,)))
    held = made["multiplier"] * np.exp2(-made["shift"].astype(np.float64))
    near = [ties.near_ties(r, PER_SCALE, high, seed=i) for i, r in enumerate(held.tolist())]
    return source, target, np.stack(near)


def row(name: str, dtype: str, two: bool, scales: int = SCALES) -> Row:
    """The oracle and the fast path, clamped to the dtype."""
    rule, limits = profile(name), np.iinfo(dtype)
    source, target, acc = problem(name, int(limits.max), two)
    source, acc = source[:scales], acc[:scales]
    compared = mismatches = 0
    for scale, values in zip(source, acc, strict=True):
        made = rule.rescale_constants(Ratio((scale[None],), (target,)))
        multiplier, right = (int(made[r][0]) for r in ("multiplier", "shift"))
        wanted = np.array([RULES[name](int(v), multiplier, right) for v in values])
        wanted = np.clip(wanted, limits.min, limits.max)
        slow = np.clip(rule.rescale(values, made), limits.min, limits.max)
        quick = _fast(rule, values, made, limits)
        compared += values.size
        mismatches += max(np.count_nonzero(slow != wanted), np.count_nonzero(quick != wanted))
    kind = "powers of two" if two else "any scales"
    version = ".".join(map(str, _python()))
    return Row(name, f"rescale, {kind} {dtype}", RUNTIME, version, compared, int(mismatches))


def _fast(
    rule: Profile, values: np.ndarray, made: Mapping[str, np.ndarray], to: object
) -> np.ndarray:
    import torch

    bound = int(np.abs(values).max())
    limits = Limits(bound, int(to.min), int(to.max))  # type: ignore[attr-defined]
    run = rule.fast_rescale(made, limits, torch.device("cpu"))
    found: np.ndarray = run(torch.from_numpy(values.astype(np.float64))).long().numpy()
    return found


def _python() -> tuple[int, int]:
    import sys

    return sys.version_info[0], sys.version_info[1]


CHECKS = tuple(
    (name, dtype, two) for name in RULES for dtype in ("int8", "int16") for two in (False, True)
)


FACTORS = {"mul15": tied.ODD, "shift": (1.0, 1.3, 0.8, 1.41)}
"""Of the rescales of a layer, over a power of two; `shift` takes its own for that power alone."""
LAYERS = ("padded", "strided", "dilated", "grouped", "depthwise")


def _operators() -> Iterator[Check]:
    for name, factors in FACTORS.items():
        for dtype in ("int8", "int16"):
            for label, cases in _cases(dtype, factors):
                yield Check(name, f"{label} {dtype}", RUNTIME, cases, expected)


def _cases(dtype: str, factors: tuple[float, ...]) -> Iterator[tuple[str, Cases]]:
    layers = partial(tied.layers, dtype, factors=factors)
    forms = [f"conv2d, {form}" for form in LAYERS]
    for form in (*forms, "linear", "conv_transpose2d"):
        yield form, partial(layers, form)
    yield "conv2d, residual", partial(layers, "conv2d, padded", residual=True)
    yield "matmul", partial(tied.products, dtype)
    yield "add", partial(more.added, "add", dtype)
    yield "mul", partial(given.pairs, "mul", dtype)
    yield "mean", partial(more.sums, "mean", dtype)
    yield "avg_pool2d", partial(given.pools, "avg_pool2d", dtype)
    count = 6 if dtype == "int16" else 400
    yield "requantization", partial(given.singles, "identity", dtype, count)


OPERATORS = tuple(_operators())


def rows() -> Iterator[Row]:
    """One per profile, dtype and kind of scales; of `mul15` and `shift` one per operator too."""
    for name, dtype, two in CHECKS:
        yield row(name, dtype, two)
    for check in OPERATORS:
        yield check.row(".".join(map(str, _python())))
