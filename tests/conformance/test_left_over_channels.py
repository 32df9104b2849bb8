"""LiteRT's optimized kernels take channels by the vector; what is left over rounds otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conformance.litert_case import Case, On, compare
from tests.conformance.litert_gemm import accumulators, window, write_conv
from tests.conformance.litert_pools import write_mean
from tests.conformance.litert_runtime import RESOLVERS

pytest.importorskip("ai_edge_litert")


def depthwise(channels: int, times: int) -> Case:
    """Weights of one, and biases that bring accumulators next to ties."""
    random = np.random.default_rng(channels * 10 + times)
    out, source, target = channels * times, On(0.125), On(0.5)
    scales = np.exp2(random.uniform(-9, -1, out)).astype(np.float32)
    bias = accumulators(scales, source, target)[::8]
    image = random.integers(-128, 128, (1, channels, 16, 16)).astype(np.int8)
    attributes = window((1, 1), groups=channels)
    weight = np.ones((out, 1, 1, 1))
    ends = (image,), (source,), target
    return Case("conv2d", *ends, write_conv, attributes, weight, scales, bias)


def mean(channels: int) -> Case:
    random = np.random.default_rng(channels)
    image = random.integers(-128, 128, (40, channels, 4, 4)).astype(np.int8)
    return Case("adaptive_avg_pool2d", (image,), (On(0.06),), On(0.031), write_mean)


@pytest.mark.parametrize("profile", RESOLVERS)
def test_no_integer_differs_of_any_number_of_channels(profile: str) -> None:
    cases = [depthwise(*c) for c in ((2, 1), (6, 1), (8, 1), (12, 1), (31, 1), (2, 3), (8, 3))]
    cases += [mean(c) for c in (5, 16, 24, 33)]
    for case in cases:
        compared, mismatches, _ = compare(case, profile)
        assert compared > 0
        assert mismatches == 0, (case.op, case.operands[0].shape)
