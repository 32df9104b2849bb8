"""Pools and resized images against torch, over sizes, and files that point outside of an image."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from qflow.emulation.lowering import lower
from qflow.emulation.op import Example
from qflow.emulation.ops._resize import nearest
from qflow.emulation.ops.avg_pool2d import AvgPool2d, counts
from qflow.emulation.record import Damaged
from qflow.emulation.validate import validate
from tests.emulation.build import march, one_op


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_nearest_pixel_is_torchs(mode: str, dtype: torch.dtype) -> None:
    for size in range(1, 24):
        line = torch.arange(size, dtype=dtype).reshape(1, 1, 1, size)
        for count in range(1, 60):
            theirs = interpolate(line, (1, count), mode=mode).long().flatten().numpy()
            assert np.array_equal(nearest(mode, size, count, None), theirs), (size, count)
        for factor in (0.5, 0.7, 1.0, 1.1, 1.3, 1.5, 2.0, 2.1, 2.7, 3.0):
            theirs = interpolate(line, scale_factor=(1, factor), mode=mode) if size > 1 else line
            count = theirs.shape[-1]
            mine = nearest(mode, size, count, factor if size > 1 else None)
            assert np.array_equal(mine, theirs.long().flatten().numpy()), (size, factor)


def test_what_a_window_counts_is_torchs() -> None:
    """Ones are averaged to 1 where padding is not counted, else to the share that is image."""
    tried = 0
    for kernel, stride, side, size, ceil, skips in product(
        (1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (3, 4, 7), (False, True), (False, True)
    ):
        if 2 * side > kernel or size + 2 * side < kernel:
            continue
        attributes = {
            "kernel": (kernel, 1),
            "stride": (stride, 1),
            "padding": (side, 0, side, 0),
            "ceil": ceil,
            "skips_padding": skips,
        }
        image = torch.rand(1, 1, size, 2, dtype=torch.float64)
        shape = (1, 1, size, 2)
        args = (attributes["kernel"], attributes["stride"], (side, 0))
        sums = avg_pool2d(image, *args, ceil, divisor_override=1)
        theirs = avg_pool2d(image, *args, ceil, not skips)
        np.testing.assert_allclose(sums.numpy() / counts(attributes, shape), theirs, rtol=1e-12)
        np.testing.assert_allclose(AvgPool2d().real(attributes, image.numpy()), theirs, rtol=1e-12)
        tried += 1
    assert tried > 150


@pytest.mark.parametrize(
    ("role", "value"), [("row", 4), ("column", -1), ("row_weight", 5000), ("column_weight", -1)]
)
def test_a_file_cannot_point_outside(role: str, value: int) -> None:
    attributes = {
        "size": (8, 10),
        "factor": None,
        "mode": "bilinear",
        "align_corners": False,
        "recompute": False,
    }
    example = Example(((1, 2, 4, 5),), attributes)
    graph = lower(one_op("upsample", example, [1.0], 1.0), march(), "mul15").graph
    validate(graph)
    wrong = graph.constants[f"op.{role}"].copy()
    wrong[0] = value
    with pytest.raises(Damaged, match=f"`{role}` has values out of its range"):
        validate(replace(graph, constants={**graph.constants, f"op.{role}": wrong}))
