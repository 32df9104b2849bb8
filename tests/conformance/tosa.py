"""TOSA: its reference model against the profiles `tosa.single` and `tosa.double`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec

from tests.conformance import shared_cases as given
from tests.conformance import tosa_cases as own
from tests.conformance import tosa_operators as theirs
from tests.conformance.both_sides import Check, Runtime
from tests.conformance.litert_case import Case
from tests.conformance.table import Row

PROFILES = ("tosa.single", "tosa.double")
RUNTIME = "TOSA reference model"
Cases = Callable[[], Iterable[Case]]


def _of(label: str, runtime: Runtime, cases: Cases) -> Iterator[Check]:
    for profile in PROFILES:
        yield Check(profile, label, RUNTIME, cases, runtime)


def _products(dtype: str) -> Iterator[Check]:
    """int16 has accumulators of 48 bits there, which a multiplier of 32 bits cannot rescale."""
    for op, runtime in (("conv2d", theirs.convolution), ("linear", theirs.linear)):
        yield from _of(f"{op}, any bias {dtype}", runtime, partial(given.rescales, op, "int8"))
    for form in ("strided", "padded", "dilated", "depthwise"):
        cases = partial(own.convolutions, form)
        yield from _of(f"conv2d, {form} {dtype}", theirs.convolution, cases)
    yield from _of(f"linear, any weight {dtype}", theirs.linear, partial(given.linears, dtype))
    yield from _of(f"matmul {dtype}", theirs.product, partial(given.products, dtype))


def _elementwise(dtype: str) -> Iterator[Check]:
    for op in ("add", "sub"):
        yield from _of(f"{op} {dtype}", theirs.added, partial(given.pairs, op, dtype))
    yield from _of(f"mul {dtype}", theirs.multiplied, partial(given.pairs, "mul", dtype))
    count = 6 if dtype == "int16" else 400
    for op, label in (("identity", "requantization"), ("relu", "relu"), ("relu6", "relu6")):
        cases = partial(given.singles, op, dtype, count)
        yield from _of(f"{label} {dtype}", theirs.rescaled, cases)
    yield from _of(f"cat {dtype}", theirs.joined, partial(own.joined, dtype))


def _pools(dtype: str) -> Iterator[Check]:
    one = f"one grid {dtype}"
    yield from _of(f"avg_pool2d, {one}", theirs.average, partial(own.averages, dtype))
    yield from _of(f"adaptive_avg_pool2d, {one}", theirs.average, partial(own.image_means, dtype))
    means = partial(_some_means, dtype)
    yield from _of(f"adaptive_avg_pool2d, two grids {dtype}", theirs.counted, means)
    if dtype == "int8":
        averages = partial(own.requantized_averages, dtype)
        yield from _of(f"avg_pool2d, two grids {dtype}", theirs.ones, averages)
    yield from _of(f"max_pool2d {dtype}", theirs.maximum, partial(own.maxima, dtype))
    for op in ("mean", "sum"):
        yield from _of(f"{op} {dtype}", theirs.summed, partial(own.sums, op, dtype))


def _some_means(dtype: str) -> Iterator[Case]:
    """Those whose grids differ."""
    return (c for c in given.image_means(dtype) if c.sources[0] != c.target)


def _checks() -> Iterator[Check]:
    yield from _products("int8")
    for dtype in ("int8", "int16"):
        yield from _elementwise(dtype)
        yield from _pools(dtype)
        for op in ("sigmoid", "tanh"):
            yield from _of(f"{op} {dtype}", theirs.looked_up, partial(own.tables, op, dtype))


CHECKS = tuple(_checks())


def rows() -> Iterator[Row]:
    """One per check; none where the reference model is not installed."""
    if find_spec("tosa_reference_model") is None:
        return
    for check in CHECKS:
        yield check.row(version("tosa-tools"))
