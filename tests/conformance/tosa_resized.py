"""RESIZE of TOSA: nearest alone, bilinear with a RESCALE behind it."""

from __future__ import annotations

from math import gcd

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, node_of
from tests.conformance.tosa_model import Model, constants_of, first_axis, last_axis


def resized(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, node, a = Model(graph.profile), node_of(graph), case.attributes
    image, on = last_axis(case.operands[0]), case.sources[0]
    n, c, h, w = node.output.shape
    bilinear = a["mode"] == "bilinear"
    axes = [
        _axis(size, count, a["mode"], a["align_corners"])
        for size, count in zip(image.shape[1:3], (h, w), strict=True)
    ]
    inputs = [
        model.input(image),
        model.sizes([v for made in axes for v in made[:2]]),
        model.sizes([made[2] for made in axes]),
        model.sizes([made[3] for made in axes]),
    ]
    modes = model.tosa.ResizeMode
    settings = {"mode": modes.BILINEAR if bilinear else modes.NEAREST}
    if not bilinear:
        model.add("RESIZE", inputs, (n, h, w, c), on.dtype, settings, "Resize", last=True)
        return first_axis(model.run(on.dtype))
    wide = "int48" if on.dtype == "int16" else "int32"
    name = model.add("RESIZE", inputs, (n, h, w, c), wide, settings, "Resize")
    if wide == "int48":
        name = model.narrowed(name)
    if on.zero_point:  # RESIZE knows of none
        moved = np.full((1, 1, 1, 1), on.zero_point * axes[0][0] * axes[1][0], np.int32)
        name = model.add("SUB", [name, model.constant(moved)], (n, h, w, c), "int32", None, "Sub")
    zeros = (0, case.target.zero_point)
    kinds = ("int32", case.target.dtype)
    model.rescale(name, kinds, constants_of(graph, node), zeros, last=True)
    return first_axis(model.run(case.target.dtype))


def _axis(size: int, count: int, mode: str, aligned: bool) -> tuple[int, int, int, int]:
    """n, d, offset and border: place i lies (i * d + offset) / n pixels along the axis.

    A place of RESIZE's nearest rounds half up, one of torch's is rounded down.
    """
    grown, shrunk = (count - 1, size - 1) if aligned else (count, size)
    n, d = (2 * v // gcd(grown, shrunk) for v in (grown, shrunk))
    offset = 0 if aligned else (d - n) // 2
    if mode != "bilinear":
        offset = (d if mode == "nearest-exact" else 0) // 2 - n // 2
    return n, d, offset, d * (count - 1) - n * (size - 1) + offset
