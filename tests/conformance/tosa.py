"""TOSA: its reference model against the profiles `tosa.single` and `tosa.double`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec

from tests.conformance import moving_cases as moving
from tests.conformance import resized_cases as resized
from tests.conformance import shared_cases as given
from tests.conformance import tied_layers as tied
from tests.conformance import tosa_cases as own
from tests.conformance import tosa_elementwise as single
from tests.conformance import tosa_layers as layers
from tests.conformance import tosa_moves as moves
from tests.conformance import tosa_operators as theirs
from tests.conformance import tosa_resized as resizing
from tests.conformance.both_sides import Check, Runtime
from tests.conformance.litert_case import Case
from tests.conformance.table import Row

PROFILES = ("tosa.single", "tosa.double")
RUNTIME = "TOSA reference model"
Cases = Callable[[], Iterable[Case]]


def _of(label: str, runtime: Runtime, cases: Cases) -> Iterator[Check]:
    for profile in PROFILES:
        yield Check(profile, label, RUNTIME, cases, runtime)


def _layers(dtype: str) -> Iterator[Check]:
    """Biases of int16 do not reach every output where a rescale is small."""
    for op in ("conv2d", "linear"):
        cases = partial(given.rescales, op, dtype)
        yield from _of(f"{op}, any bias {dtype}", layers.layer, cases)
    for form in tied.FORMS:
        if form != "conv2d, grouped":
            yield from _of(f"{form} {dtype}", layers.layer, partial(tied.layers, dtype, form))
    added = partial(tied.layers, dtype, "conv2d, padded", residual=True)
    yield from _of(f"conv2d, residual {dtype}", layers.layer, added)
    yield from _of(f"matmul {dtype}", layers.product, partial(tied.products, dtype))


def _elementwise(dtype: str) -> Iterator[Check]:
    for op in ("add", "sub"):
        yield from _of(f"{op} {dtype}", theirs.added, partial(own.added, op, dtype))
    yield from _of(f"mul {dtype}", theirs.multiplied, partial(given.pairs, "mul", dtype))
    for op in ("maximum", "minimum"):
        yield from _of(f"{op} {dtype}", single.larger, partial(given.pairs, op, dtype))
    count = 6 if dtype == "int16" else 400
    for op, label in (("identity", "requantization"), ("relu", "relu"), ("relu6", "relu6")):
        cases = partial(given.singles, op, dtype, count)
        yield from _of(f"{label} {dtype}", theirs.rescaled, cases)
    for op, runtime in (("abs", single.magnitude), ("neg", single.opposite)):
        yield from _of(f"{op} {dtype}", runtime, partial(given.singles, op, dtype, count))
    for op in ("add", "sub", "mul", "div"):
        runtime = single.and_number if op in ("add", "sub") else single.by_number
        cases = partial(given.numbered, op, dtype, count)
        yield from _of(f"{op} with a number {dtype}", runtime, cases)
    bounded = partial(given.singles, "clamp", dtype, count, low=-1.5, high=0.9)
    yield from _of(f"clamp {dtype}", single.cut, bounded)
    leaky = partial(given.singles, "leaky_relu", dtype, count, negative_slope=0.1)
    yield from _of(f"leaky_relu {dtype}", single.sloped, leaky)
    sloped = partial(given.sloped, dtype, 6 if dtype == "int16" else 100)
    yield from _of(f"prelu {dtype}", single.sloped, sloped)
    for op in ("where", "masked_fill"):
        yield from _of(f"{op} {dtype}", single.chosen, partial(given.chosen, op, dtype))


def _moves(dtype: str) -> Iterator[Check]:
    for op in moving.MOVES:
        yield from _of(f"{op} {dtype}", moves.moved, partial(moving.moves, op, dtype))
    for op, made in (("squeeze", moving.removed), ("expand", moving.expanded)):
        yield from _of(f"{op} {dtype}", moves.moved, partial(made, dtype))
    yield from _of(f"cat {dtype}", theirs.joined, partial(own.joined, dtype))
    yield from _of(f"stack {dtype}", moves.stacked, partial(moving.stacked, dtype))
    yield from _of(f"argmax {dtype}", moves.place, partial(moving.places, dtype))
    yield from _of(f"embedding {dtype}", moves.picked, partial(moving.picked_rows, dtype))
    for mode in ("nearest", "nearest-exact", "bilinear"):
        cases = partial(resized.resized, dtype, mode)
        yield from _of(f"upsample, {mode} {dtype}", resizing.resized, cases)
    corners = partial(resized.resized, dtype, "bilinear", aligned=True)
    yield from _of(f"upsample, aligned corners {dtype}", resizing.resized, corners)


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
    for dtype in ("int8", "int16"):
        yield from _layers(dtype)
        yield from _elementwise(dtype)
        yield from _moves(dtype)
        yield from _pools(dtype)
        for op in own.BYTES if dtype == "int8" else own.WORDS:
            yield from _of(f"{op} {dtype}", theirs.looked_up, partial(own.tables, op, dtype))


CHECKS = tuple(_checks())


def rows() -> Iterator[Row]:
    """One per check; none where the reference model is not installed."""
    if find_spec("tosa_reference_model") is None:
        return
    for check in CHECKS:
        yield check.row(version("tosa-tools"))
