"""onnxruntime: its quantized operators on a CPU against the profile of that name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec

from qflow.emulation.op import op as operator
from tests.conformance import shared_cases as given
from tests.conformance import tied_layers as tied
from tests.conformance.both_sides import Check
from tests.conformance.onnx_floats import fused
from tests.conformance.onnx_reference import FUNCTIONS, many_sums, powers_of_two, resizes
from tests.conformance.onnxruntime_operators import RUNTIMES
from tests.conformance.table import Row

PROFILE = "onnxruntime"
FLOATS = "DequantizeLinear and QuantizeLinear"


def _check(operator: str, kernel: str, dtype: str, cases: object, *settings: object) -> Check:
    kind = "int8, symmetric" if dtype == "plain" else dtype
    made = partial(cases, *settings)  # type: ignore[arg-type]
    theirs = fused if kernel == FLOATS else RUNTIMES[kernel]
    return Check(PROFILE, f"{operator} {kind}", f"onnxruntime, {kernel}", made, theirs)


def _checks() -> Iterator[Check]:
    for dtype in ("plain", "int8", "uint8"):
        yield from _quantized(dtype)
        yield from _dequantized(dtype)


def _quantized(dtype: str) -> Iterator[Check]:
    for op, kernel in (("conv2d", "QLinearConv"), ("linear", "QGemm")):
        yield _check(f"{op}, any bias", kernel, dtype, given.rescales, op, dtype)
    for form in tied.FORMS:
        if form != "conv_transpose2d":
            kernel = "QGemm" if form == "linear" else "QLinearConv"
            yield _check(form, kernel, dtype, tied.layers, dtype, form)
    yield _check("matmul", "QLinearMatMul", dtype, tied.products, dtype)
    yield _check("add", "QLinearAdd", dtype, given.pairs, "add", dtype)
    yield _check("mul", "QLinearMul", dtype, given.pairs, "mul", dtype)
    yield _check("avg_pool2d", "QLinearAveragePool", dtype, given.pools, "avg_pool2d", dtype)
    kernel = "QLinearGlobalAveragePool"
    yield _check("adaptive_avg_pool2d", kernel, dtype, given.image_means, dtype)
    maximum = partial(given.pools, own_grid=False, dilation=(1, 1), ceil=False)
    yield _check("max_pool2d", "MaxPool", dtype, maximum, "max_pool2d", dtype)
    yield _check("cat", "QLinearConcat", dtype, given.joined, dtype)
    leaky = partial(given.singles, count=400, negative_slope=0.1)
    yield _check("leaky_relu", "QLinearLeakyRelu", dtype, leaky, "leaky_relu", dtype)
    many = partial(given.singles, count=400)
    yield _check("sigmoid", "QLinearSigmoid", dtype, many, "sigmoid", dtype)
    yield _check("softmax", "QLinearSoftmax", dtype, given.shares, dtype)


def _dequantized(dtype: str) -> Iterator[Check]:
    """Where there is no quantized operator: floats, in whatever way the optimizer leaves them."""
    many = partial(given.singles, count=400)
    for op, name in (("identity", "requantization"), ("relu", "relu"), ("relu6", "relu6")):
        yield _check(name, FLOATS, dtype, many, op, dtype)
    for op in ("abs", "neg", *FUNCTIONS):
        settings = operator(op).examples[0].attributes
        yield _check(op, FLOATS, dtype, partial(many, **settings), op, dtype)
    cut = partial(many, low=-1.5, high=0.9)
    yield _check("clamp", FLOATS, dtype, cut, "clamp", dtype)
    for op in ("sub", "maximum", "minimum"):
        yield _check(op, FLOATS, dtype, given.pairs, op, dtype)
    numbered = partial(given.numbered, count=400)
    for op in ("add", "sub", "mul", "div"):
        yield _check(f"{op} with a number", FLOATS, dtype, numbered, op, dtype)
    for op in ("where", "masked_fill"):
        yield _check(op, FLOATS, dtype, given.chosen, op, dtype)
    for name, cases in resizes(dtype):
        yield _check(name, FLOATS, dtype, cases)
    spread = partial(tied.layers, form="conv_transpose2d", exact=True)
    yield _check("conv_transpose2d, powers of two", FLOATS, dtype, spread, dtype)
    for op in ("mean", "sum"):
        totals = partial(powers_of_two, partial(many_sums, op, dtype))
        yield _check(f"{op}, powers of two", FLOATS, dtype, totals)


CHECKS = tuple(_checks())


def rows() -> Iterator[Row]:
    """One per check; none where onnxruntime is not installed."""
    if find_spec("onnxruntime") is None or find_spec("onnx") is None:
        return
    import onnxruntime

    for check in CHECKS:
        yield check.row(onnxruntime.__version__)
