"""rsqrt: RSQRT; int8 in 2^-20 and one rescale, int16 from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.builder import Builder, scale
from qflow.emulation.op import Unsupported
from qflow.emulation.ops import rsqrt
from qflow.emulation.own.tflite import _fixed_point, _lookup
from qflow.emulation.own.tflite._bytes import Bytes
from qflow.emulation.profiles.tflite_reference import TfliteReference

if TYPE_CHECKING:
    from qflow.quantization.prepared import PreparedNode

FRACTION = 20
BEYOND = 1 << 16
"""More than a byte holds."""


class Rsqrt(Bytes, rsqrt.Rsqrt):
    """`y = MBQM(MBQM(1, root), s)`: root = 1 / sqrt(q - zp_x) by Newton steps, held in 2^-20, and
    s = 2^-20 / float32(sqrt(s_x) * s_y).

    MBQM as in `tflite.reference`. Source: `RsqrtEvalQuantized` of TFLite, measured. Zero gives the
    highest integer; below it LiteRT refuses to run, and the lowest stands here. int16: a table of
    segments, whose entries are the highest integer up to 0.
    """

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        if source.dtype != "int16" or node.out_dtype != "int16":
            super().lower(node, build)
            return
        output = build.output_type(node, source.shape, source.layout)
        if source.zero_point or output.zero_point:
            raise Unsupported("TFLite has no zero points at int16")
        step, target = scale(source)[0], scale(output)[0]
        highest = np.float32(_lookup.HIGHEST) * target

        def function(x: np.ndarray) -> np.ndarray:
            root = np.sqrt(np.maximum(x, 0.0).astype(np.float32))
            return np.where(x > 0, np.float32(1) / root, highest).astype(np.float64)

        table = _lookup.of_words(function, step, target)
        build.emit(node, node.op, node.inputs, output, {}, {"table": table})

    def integers(self, centred: np.ndarray, source: np.float32, target: np.float32) -> np.ndarray:
        rule, one = TfliteReference(), np.ones_like(centred)
        share = 1.0 / np.float64(np.sqrt(source) * target)
        multiplier, shift = rule.derive(np.array([share * 2.0**-FRACTION]))
        root, exponent = _fixed_point.inverse_root(np.maximum(centred, 1))
        fine = rule.multiply_shift(one, root, 31 - FRACTION + exponent)
        found = rule.multiply_shift(fine, multiplier, shift)
        return np.where(centred > 0, found, np.where(centred == 0, BEYOND, -BEYOND))
