"""avg_pool2d: QLinearAveragePool, which sums floats from left to right, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.float_profile import half_even
from qflow.emulation.op import Call, Constant, Fast, Range
from qflow.emulation.ops import avg_pool2d
from qflow.emulation.ops._window import pad_image, windows_of
from qflow.emulation.own.onnxruntime import _bytes

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

MOST = 1 << 24
"""Largest divisor: float32 holds it."""


class AvgPool2d(avg_pool2d.AvgPool2d):
    """`y = half_even(float32(float32(sum / count) / s_y) + zp_y)`, a tie to the even integer.

    The sum is that of float32(s_x * (x - zp_x)), one after the other in float32, and the constant
    `count` what divides it. Source: QLinearAveragePool of onnxruntime, measured. int16 is as the
    profile rescales sums.
    """

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        if not _bytes.only(source.dtype, node.out_dtype):
            super().lower(node, build)
            return
        given = node.attributes
        attributes = {
            "kernel": given["kernel"],
            "stride": given["stride"],
            "padding": avg_pool2d._padding(given, source.shape),
        }
        output = build.output_type(node, self.shape(attributes, [source.shape]))
        counts = avg_pool2d.counts(given, source.shape).astype(np.int32)
        same = counts.min() == counts.max()
        constants = {
            "source_scale": scale(source),
            "target_scale": scale(output),
            "count": counts.ravel()[:1] if same else counts[None, None],
        }
        attributes |= build.clamp(node, output)
        build.emit(node, node.op, node.inputs, output, attributes, constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        found = super().roles(call)
        if not _bytes.only_in(call):
            return found
        shapes = found["ratio"].shapes
        step = replace(found["ratio"], shapes=((1,),))
        count = Constant(("int32",), shapes, low=1, high=MOST)
        return {"source_scale": step, "target_scale": step, "count": count}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if not _bytes.only_in(call):
            return super().oracle(call, *operands)
        a, constants = call.node.attributes, call.constants
        real = call.centred(0, operands[0]).astype(np.float32) * constants["source_scale"]
        windows = windows_of(pad_image(real, a["padding"], 0), a["kernel"], a["stride"])
        total = np.zeros(windows.shape[:4], np.float32)
        for row in range(a["kernel"][0]):
            for column in range(a["kernel"][1]):
                total = total + windows[..., row, column]
        mean = total / constants["count"].astype(np.float32)
        steps = mean / constants["target_scale"] + np.float32(call.zero_point)
        return np.clip(half_even(steps), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if not _bytes.only_in(call):
            return super().fast(call, ranges, device)
        import torch
        from torch.nn.functional import pad

        a, zero_in, zero = call.node.attributes, call.zero(0), float(call.zero_point)
        step, target, count = (
            torch.from_numpy(call.constants[r].astype(np.float32)).to(device)
            for r in ("source_scale", "target_scale", "count")
        )
        top, left, bottom, right = a["padding"]
        down, across = a["stride"]

        def run(x: Tensor) -> Tensor:
            real = pad((x.float() - zero_in) * step, (left, right, top, bottom))
            rows = (real.shape[2] - a["kernel"][0]) // down + 1
            columns = (real.shape[3] - a["kernel"][1]) // across + 1
            total: Tensor | None = None
            for i in range(a["kernel"][0]):
                strip = real[:, :, i : i + down * (rows - 1) + 1 : down]
                for j in range(a["kernel"][1]):
                    part = strip[..., j : j + across * (columns - 1) + 1 : across]
                    total = part if total is None else total + part
            assert total is not None, "a window is not empty"
            steps = (total / count / target).add_(zero)
            return steps.round_().clamp_(a["low"], a["high"])

        return Fast(run)
