"""onnxruntime: its quantized operators on a CPU against the profile of that name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec

from tests.conformance import shared_cases as given
from tests.conformance.both_sides import Check
from tests.conformance.onnxruntime_operators import RUNTIMES
from tests.conformance.table import Row

PROFILE = "onnxruntime"


def _check(operator: str, kernel: str, dtype: str, cases: object, *settings: object) -> Check:
    kind = "int8, symmetric" if dtype == "plain" else dtype
    made = partial(cases, *settings)  # type: ignore[arg-type]
    return Check(PROFILE, f"{operator} {kind}", f"onnxruntime, {kernel}", made, RUNTIMES[kernel])


def _checks() -> Iterator[Check]:
    for dtype in ("plain", "int8", "uint8"):
        for op, kernel in (("conv2d", "QLinearConv"), ("linear", "QGemm")):
            yield _check(f"{op}, any bias", kernel, dtype, given.rescales, op, dtype)
        for form in given.WINDOWS:
            name = f"conv2d, {form}"
            yield _check(name, "QLinearConv", dtype, given.convolutions, dtype, form)
        yield _check("linear, any weight", "QGemm", dtype, given.linears, dtype)
        yield _check("matmul", "QLinearMatMul", dtype, given.products, dtype)
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
        for op in ("relu", "identity"):
            kernel = "DequantizeLinear and QuantizeLinear"
            name = {"identity": "requantization"}.get(op, op)
            yield _check(name, kernel, dtype, many, op, dtype)


CHECKS = tuple(_checks())


def rows() -> Iterator[Row]:
    """One per check; none where onnxruntime is not installed."""
    if find_spec("onnxruntime") is None or find_spec("onnx") is None:
        return
    import onnxruntime

    for check in CHECKS:
        yield check.row(onnxruntime.__version__)
