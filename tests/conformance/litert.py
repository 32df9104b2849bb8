"""litert: every resolver of LiteRT against the profile that states its arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from tests.conformance import litert_elementwise, litert_functions, litert_gemm, litert_pools
from tests.conformance.litert_case import Case, row
from tests.conformance.litert_runtime import RESOLVERS
from tests.conformance.table import Row


@dataclass(frozen=True)
class Check:
    """Cases of one operator and dtype, run under every resolver."""

    operator: str
    dtype: str
    cases: Callable[[], Iterable[Case]]
    profiles: tuple[str, ...] = tuple(RESOLVERS)
    """Those whose resolver has the operator."""

    @property
    def label(self) -> str:
        return f"{self.operator} {self.dtype}"


def _gemms() -> Iterator[Check]:
    for dtype in ("int8", "int16"):
        for op in ("conv2d", "depthwise", "linear", "conv_transpose2d"):
            yield Check(f"{op}, any bias", dtype, partial(litert_gemm.bias_cases, op, dtype))
        one_scale = partial(litert_gemm.bias_cases, "linear", dtype, one_scale=True)
        yield Check("linear, one scale", dtype, one_scale)
        yield Check("matmul", dtype, partial(litert_gemm.product_cases, dtype))
        for op in ("conv2d", "depthwise", "linear"):
            yield Check(f"{op}, any weight", dtype, partial(litert_gemm.summed_cases, op, dtype))


def _elementwise() -> Iterator[Check]:
    for dtype in ("int8", "int16"):
        for op in ("add", "sub", "mul"):
            yield Check(op, dtype, partial(litert_elementwise.binary_cases, op, dtype))
        for op in ("relu", "relu6"):
            yield Check(op, dtype, partial(litert_elementwise.unary_cases, op, dtype))
        requantized = partial(litert_elementwise.unary_cases, "identity", dtype)
        yield Check("requantization", dtype, requantized)
        slope = {"negative_slope": 0.1}
        leaky = partial(litert_elementwise.unary_cases, "leaky_relu", dtype, slope)
        yield Check("leaky_relu", dtype, leaky)


def _pools() -> Iterator[Check]:
    for dtype in ("int8", "int16"):
        yield Check("avg_pool2d", dtype, partial(litert_pools.average_cases, dtype))
        yield Check("max_pool2d", dtype, partial(litert_pools.max_cases, dtype))
        yield Check("adaptive_avg_pool2d", dtype, partial(litert_pools.image_mean_cases, dtype))
        yield Check("mean", dtype, partial(litert_pools.mean_cases, dtype))


FUNCTIONS = {
    "int8": ("exp", "log", "rsqrt", "gelu", "sigmoid", "tanh", "hard_swish"),
    "int16": ("exp", "log", "gelu", "sigmoid", "tanh"),
}


def _functions() -> Iterator[Check]:
    for dtype, names in FUNCTIONS.items():
        for op in names:
            yield Check(op, dtype, partial(litert_functions.cases, op, dtype))
        yield Check("softmax", dtype, partial(litert_functions.softmax_cases, dtype))
    without_reference = ("tflite.builtin", "xnnpack")
    elu = partial(litert_functions.cases, "elu", "int8")
    yield Check("elu", "int8", elu, without_reference)


CHECKS = (*_gemms(), *_elementwise(), *_pools(), *_functions())


def rows() -> Iterator[Row]:
    """One per check and profile; none where LiteRT is not installed."""
    if find_spec("ai_edge_litert") is None:
        return
    for check in CHECKS:
        for profile in check.profiles:
            yield row(profile, check.label, check.cases())
