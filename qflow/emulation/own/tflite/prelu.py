"""prelu: PRELU, whose fractions are integers of one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import Builder, NotFinite, scale
from qflow.emulation.op import Call, Constant, Fast, Range, Unsupported
from qflow.emulation.ops import prelu
from qflow.emulation.ops._rescaled import reach
from qflow.emulation.ops._slopes import BELOW
from qflow.emulation.own.tflite._rules import Float32Ratio
from qflow.emulation.profile import Limits, Ratio

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode

WEIGHT = "weight"
LARGEST = 127


class Prelu(prelu.Prelu):
    """`y = MBQM(x, s_x / s_y)` from zero on, `MBQM(x * a, s_x * s_a / s_y)` below.

    Ratios and MBQM are those of `Float32Ratio`; a is int8 beside int16 too. Our choice:
    s_a = max |a| / 127, in float32; a is rounded to it half to even.
    Source: `BroadcastPrelu4DSlow` of LiteRT, measured under every resolver.
    """

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        output = build.output_type(node, source.shape, source.layout)
        if source.dtype != output.dtype or source.dtype == "uint8":
            raise Unsupported(f"from {source.dtype} to {output.dtype}: TFLite has no such slopes")
        integers, step = quantized(fractions(node.weight))
        channels = source.shape[1] if len(source.shape) > 1 else 1
        if integers.ndim != 1 or integers.size not in (1, channels):
            raise Unsupported(f"fractions {integers.shape} for a tensor {source.shape}")
        rule = Float32Ratio(build.profile)
        above = rule.rescale_constants(Ratio((scale(source),), (scale(output),)))
        below = rule.rescale_constants(Ratio((scale(source), step), (scale(output),)))
        constants = {**above, **{BELOW + r: c for r, c in below.items()}, WEIGHT: integers}
        build.emit(node, node.op, node.inputs, output, build.clamp(node, output), constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        rescale = Float32Ratio(call.profile).roles("rescale")
        names = [prefix + r for prefix in ("", BELOW) for r in rescale]
        output = call.node.output
        channels = output.shape[-1 if output.layout == "nhwc" else min(1, len(output.shape) - 1)]
        weight = Constant(("int8",), ((1,), (channels,)))
        return {n: Constant(("int32",), ((1,),), True) for n in names} | {WEIGHT: weight}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        x, rule = call.centred(0, operands[0]), Float32Ratio(call.profile)
        above, below = _constants(call)
        found = np.where(x >= 0, rule.rescale(x, above), rule.rescale(x * _weight(call), below))
        attributes = call.node.attributes
        return np.clip(found + call.zero_point, attributes["low"], attributes["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, zero, rule = call.node.attributes, call.zero_point, Float32Ratio(call.profile)
        bound, weight = reach(call, ranges), _weight(call)
        most = bound * max(int(np.abs(weight).max()), 1)
        low, high = a["low"] - zero, a["high"] - zero
        above, below = _constants(call)
        positive = rule.fast_rescale(above, Limits(bound, low, high), device)
        negative = rule.fast_rescale(below, Limits(most, low, high), device)
        factor = torch.from_numpy(weight).double().to(device)

        def run(q: Tensor) -> Tensor:
            x = q.double() - call.zero(0)
            return torch.where(x >= 0, positive(x).float(), negative(x * factor).float()).add_(zero)

        return Fast(run, "float64", most)


def fractions(weight: np.ndarray | None) -> np.ndarray:
    """The module's fractions, float32. Raises NotFinite."""
    found = np.array([0.25], np.float32) if weight is None else weight.astype(np.float32)
    if not np.all(np.isfinite(found)):
        raise NotFinite("its weight is not finite")
    return found


def quantized(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8, and their scale, float32 [1]."""
    largest = np.abs(weight).max() or np.float32(1)
    step = np.maximum(np.float32(largest) / np.float32(LARGEST), np.finfo(np.float32).tiny)
    integers = np.rint(weight.astype(np.float64) / np.float64(step))
    return np.clip(integers, -LARGEST, LARGEST).astype(np.int8), np.array([step], np.float32)


def _weight(call: Call) -> np.ndarray:
    """int64, in a shape that broadcasts along axis 1."""
    view = (-1,) + (1,) * max(len(call.node.output.shape) - 2, 0)
    return call.constants[WEIGHT].astype(np.int64).reshape(view)


def _constants(call: Call) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Those from zero on, and those below."""
    roles = Float32Ratio(call.profile).roles("rescale")
    above = {r: call.constants[r] for r in roles}
    return above, {r: call.constants[BELOW + r] for r in roles}
