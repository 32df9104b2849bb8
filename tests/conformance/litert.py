"""litert: every resolver of LiteRT against the profile that states its arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from tests.conformance import (
    litert_elementwise,
    litert_functions,
    litert_gemm,
    litert_moves,
    litert_numbers,
    litert_pools,
    litert_ties,
)
from tests.conformance.litert_case import Case, row
from tests.conformance.litert_runtime import RESOLVERS
from tests.conformance.table import Row

BUILTIN = ("tflite.builtin", "xnnpack")
"""Profiles of the resolvers that have what the reference one lacks."""


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
            yield Check(f"{op}, any weight", dtype, partial(_any_weight, op, dtype))
        one_scale = partial(litert_gemm.bias_cases, "linear", dtype, one_scale=True)
        yield Check("linear, one scale", dtype, one_scale)
        yield Check("conv1d, any bias", dtype, partial(litert_gemm.row_cases, dtype))
        yield Check("matmul", dtype, partial(litert_gemm.product_cases, dtype))


def _any_weight(op: str, dtype: str) -> Iterator[Case]:
    """Random accumulators first, then those next to ties."""
    if op != "conv_transpose2d":
        yield from litert_gemm.summed_cases(op, dtype)
    yield from litert_ties.cases(op, dtype)


def _elementwise() -> Iterator[Check]:
    for dtype in ("int8", "int16"):
        for op in ("add", "sub", "mul"):
            yield Check(op, dtype, partial(litert_elementwise.binary_cases, op, dtype))
        for op in ("relu", "relu6", "abs"):
            yield Check(op, dtype, partial(litert_elementwise.unary_cases, op, dtype))
        requantized = partial(litert_elementwise.unary_cases, "identity", dtype)
        yield Check("requantization", dtype, requantized)
        slope = {"negative_slope": 0.1}
        leaky = partial(litert_elementwise.unary_cases, "leaky_relu", dtype, slope)
        yield Check("leaky_relu", dtype, leaky)


def _numbers() -> Iterator[Check]:
    for dtype in ("int8", "int16"):
        yield Check("sum", dtype, partial(litert_numbers.sums, dtype), BUILTIN)
        yield Check("neg", dtype, partial(litert_numbers.opposites, dtype))
        yield Check("div", dtype, partial(litert_numbers.quotients, dtype))
        yield Check("prelu", dtype, partial(litert_numbers.slopes, dtype))
        for mode in ("nearest", "nearest-exact", "bilinear"):
            resized = partial(litert_numbers.resized, mode, dtype)
            yield Check(f"upsample, {mode}", dtype, resized)
        aligned = partial(litert_numbers.resized, "bilinear", dtype, aligned=True)
        yield Check("upsample, bilinear, align_corners", dtype, aligned)


def _pools() -> Iterator[Check]:
    for dtype in ("int8", "int16"):
        yield Check("avg_pool2d", dtype, partial(litert_pools.average_cases, dtype))
        yield Check("max_pool2d", dtype, partial(litert_pools.max_cases, dtype))
        yield Check("adaptive_avg_pool2d", dtype, partial(litert_pools.image_mean_cases, dtype))
        yield Check("mean", dtype, partial(litert_pools.mean_cases, dtype))


FUNCTIONS = {
    "int8": ("exp", "log", "sqrt", "rsqrt", "sigmoid", "tanh", "hard_swish"),
    "int16": ("exp", "log", "sqrt", "rsqrt", "sigmoid", "tanh"),
}


def _functions() -> Iterator[Check]:
    for dtype, names in FUNCTIONS.items():
        for op in names:
            yield Check(op, dtype, partial(litert_functions.cases, op, dtype))
        gelu = partial(litert_functions.cases, "gelu", dtype)
        yield Check("gelu", dtype, partial(gelu, {"approximate": "none"}))
        if dtype == "int8":
            yield Check("gelu, tanh", dtype, partial(gelu, {"approximate": "tanh"}))
        yield Check("softmax", dtype, partial(litert_functions.softmax_cases, dtype))
    elu = partial(litert_functions.cases, "elu", "int8", {"alpha": 1.0})
    yield Check("elu", "int8", elu, BUILTIN)


MOVES: dict[str, Callable[[str], Iterable[Case]]] = {
    "reshape": litert_moves.reshaped,
    "flatten": litert_moves.flattened,
    "squeeze": litert_moves.squeezed,
    "unsqueeze": litert_moves.unsqueezed,
    "permute": litert_moves.permuted,
    "expand": litert_moves.expanded,
    "repeat": litert_moves.repeated,
    "slice": litert_moves.sliced,
    "split": litert_moves.split,
    "chunk": litert_moves.chunked,
    "unbind": litert_moves.unbound,
    "stack": litert_moves.stacked,
    "cat": litert_moves.joined,
    "cat, requantized": litert_moves.requantized,
    "pad": litert_moves.padded,
    "where": litert_moves.chosen,
    "masked_fill": litert_moves.filled,
    "maximum": partial(litert_moves.larger, "maximum"),
    "minimum": partial(litert_moves.larger, "minimum"),
    "amax": partial(litert_moves.extreme, "amax"),
    "amin": partial(litert_moves.extreme, "amin"),
    "topk": litert_moves.largest,
    "embedding": litert_moves.embedded,
}
OF_BYTES: dict[str, Callable[[str], Iterable[Case]]] = {
    "argmax": partial(litert_moves.places, "argmax"),
    "min, places": partial(litert_moves.places, "min"),
    "clamp": litert_moves.clamped,
    "pixel_shuffle": litert_moves.shuffled,
    "pixel_unshuffle": litert_moves.unshuffled,
}
"""Those whose kernels LiteRT has at int8 alone."""


def _moves() -> Iterator[Check]:
    for dtype in ("int8", "int16"):
        for name, cases in MOVES.items():
            yield Check(name, dtype, partial(cases, dtype))
    for name, cases in OF_BYTES.items():
        yield Check(name, "int8", partial(cases, "int8"))


CHECKS = (*_gemms(), *_elementwise(), *_numbers(), *_pools(), *_functions(), *_moves())


def rows() -> Iterator[Row]:
    """One per check and profile; none where LiteRT is not installed."""
    if find_spec("ai_edge_litert") is None:
        return
    for check in CHECKS:
        for profile in check.profiles:
            yield row(profile, check.label, check.cases())
