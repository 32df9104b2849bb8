"""ONNX: its reference evaluator and onnxruntime without fusion against the profile `onnx.qdq`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.util import find_spec

from qflow.emulation.op import op as operator
from tests.conformance import resized_cases as resized
from tests.conformance import shared_cases as given
from tests.conformance import tied_layers as tied
from tests.conformance.both_sides import Check
from tests.conformance.litert_case import Case
from tests.conformance.onnx_floats import reference, unfused
from tests.conformance.onnx_model import OPSET
from tests.conformance.table import Row
from tests.conformance.tosa_cases import BYTES, sums

PROFILE = "onnx.qdq"
REFERENCE, UNFUSED = f"onnx.reference, opset {OPSET}", "onnxruntime, not fused"
Cases = Callable[[], Iterable[Case]]


def powers_of_two(cases: Cases) -> Iterator[Case]:
    """Those whose scales are powers of two: sums of floats are exact, in any order."""
    for case in cases():
        scales = [on.scale for on in (*case.sources, case.target)]
        if all((s / (2**-20)).hex().startswith("0x1.0000000000000p") for s in scales):
            yield case


FUNCTIONS = ("floor", "ceil", *(n for n in BYTES if n != "mish"))
POLES = ("atanh", "reciprocal", "rsqrt")
"""The reference evaluator makes the lowest integer of an infinity."""
LAST_BITS = ("log", "selu")
"""Its float32 differs from onnxruntime's in the last bit, which one tie of 100,000 values shows."""


def _products(dtype: str) -> Iterator[tuple[str, Cases]]:
    for form in tied.FORMS:
        yield f"{form}, powers of two", partial(tied.layers, dtype, form, exact=True)
    yield "matmul, powers of two", partial(tied.products, dtype, exact=True)


def _others(dtype: str) -> Iterator[tuple[str, Cases]]:
    count = 6 if dtype == "int16" else 400
    for op in ("add", "sub", "mul", "maximum", "minimum"):
        yield op, partial(given.pairs, op, dtype)
    for op, name in (("identity", "requantization"), ("relu", "relu"), ("relu6", "relu6")):
        yield name, partial(given.singles, op, dtype, count)
    for op in ("abs", "neg"):
        yield op, partial(given.singles, op, dtype, count)
    yield "clamp", partial(given.singles, "clamp", dtype, count, low=-1.5, high=0.9)
    for op in ("where", "masked_fill"):
        yield op, partial(given.chosen, op, dtype)
    for op in ("mean", "sum"):
        yield f"{op}, powers of two", partial(powers_of_two, partial(many_sums, op, dtype))
    if dtype != "int16":
        for op in FUNCTIONS:
            settings = operator(op).examples[0].attributes
            yield op, partial(given.singles, op, dtype, count, **settings)
        for op in ("add", "sub", "mul", "div"):
            yield f"{op} with a number", partial(given.numbered, op, dtype, count)
        slope = partial(given.singles, "leaky_relu", dtype, count, negative_slope=0.1)
        yield "leaky_relu", slope
        yield "cat", partial(given.joined, dtype)
    maximum = partial(given.pools, "max_pool2d", dtype, False, dilation=(1, 1), ceil=False)
    yield "max_pool2d", maximum
    averages = partial(powers_of_two, partial(given.exact_averages, dtype))
    yield "avg_pool2d, powers of two", averages
    means = partial(powers_of_two, partial(given.image_means, dtype))
    yield "adaptive_avg_pool2d, powers of two", means


def resizes(dtype: str) -> Iterator[tuple[str, Cases]]:
    """Not for the reference evaluator, which takes minutes."""
    yield "upsample, nearest", partial(resized.resized, dtype, "nearest")
    yield "upsample, bilinear, powers of two", partial(_often_resized, dtype)


def _often_resized(dtype: str) -> Iterator[Case]:
    """Three times, for 100,000 integers."""
    for _ in range(3):
        yield from resized.resized(dtype, "bilinear", exact=True)


def many_sums(op: str, dtype: str) -> Iterator[Case]:
    """Twice, for 100,000 integers."""
    for _ in range(2):
        yield from sums(op, dtype)


def _checks() -> Iterator[Check]:
    for dtype in ("int8", "uint8", "int16"):
        pairs = [*_others(dtype)] if dtype == "int16" else [*_products(dtype), *_others(dtype)]
        for name, cases in pairs:
            if name not in (*POLES, *LAST_BITS):
                yield Check(PROFILE, f"{name} {dtype}", REFERENCE, cases, reference)
            if not (dtype == "int16" and name == "max_pool2d"):
                yield Check(PROFILE, f"{name} {dtype}", UNFUSED, cases, unfused)
        for name, cases in resizes(dtype):
            yield Check(PROFILE, f"{name} {dtype}", UNFUSED, cases, unfused)


CHECKS = tuple(_checks())


def rows() -> Iterator[Row]:
    """One per check whose runtime is installed."""
    if find_spec("onnx") is None:
        return
    import onnx

    for check in CHECKS:
        if check.runtime == REFERENCE:
            yield check.row(onnx.__version__)
        elif find_spec("onnxruntime") is not None:
            import onnxruntime

            yield check.row(onnxruntime.__version__)
