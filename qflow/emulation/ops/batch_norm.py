"""batch_norm: folded into the convolution before it; one that stands alone scales each channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import NoScale, NotFinite, scale
from qflow.emulation.gemm import carrier_for
from qflow.emulation.op import CLAMP, ROUNDED, Call, Constant, Example, Fast, Op, Range, Unsupported
from qflow.emulation.ops._norm import parameters_of
from qflow.emulation.ops._rescaled import reach
from qflow.emulation.profile import Limits, Ratio, constants_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

FINEST = 14
"""Bits of a factor at most: with int16 operands a product stays below 2^30."""


class BatchNorm(Op):
    """No attributes. Weight and bias of its record are those of the running statistics:
    gamma / sqrt(var + eps) and beta - mean times that, so that y = weight x + bias.

    Integers: a convolution of one tap per channel, weight sign(w) 2^t at the scale |w| 2^-t and
    the bias at that times the operand's; t, 14 or less, is as large as bias and accumulator allow.
    """

    name = "batch_norm"
    role = "normalization"
    modules = (
        "torch.nn.BatchNorm1d",
        "torch.nn.BatchNorm2d",
        "torch.nn.BatchNorm3d",
        "torch.nn.SyncBatchNorm",
    )
    functions = ("torch.nn.functional.batch_norm", "torch.batch_norm")
    pattern_word = "bn"
    fields = CLAMP
    within = ROUNDED
    examples = (
        Example(((2, 3, 4, 5),), weight=(3,), bias=(3,), written=("nn.BatchNorm2d(3)",)),
        Example(((2, 3),), weight=(3,), bias=(3,), written=("nn.BatchNorm1d(3)",)),
    )

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        if m.running_mean is None:
            raise Unsupported("a batch norm without running statistics cannot be folded")
        return {}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        raise Unsupported("a functional batch_norm cannot be folded: use nn.BatchNorm2d")

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        weight, bias = parameters_of(node)
        assert weight is not None
        assert bias is not None
        view = _view(operands[0].dim())
        return operands[0] * weight.reshape(view) + bias.reshape(view)

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        assert weight is not None
        assert bias is not None
        view = _view(operands[0].ndim)
        return operands[0] * weight.reshape(view) + bias.reshape(view)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        output = build.output_type(node, source.shape)
        if node.weight is None or node.bias is None:
            raise Unsupported("it has no running statistics")
        if not np.all(np.isfinite(node.weight)) or not np.all(np.isfinite(node.bias)):
            raise NotFinite("its weight or bias is not finite")
        self.shape({}, [source.shape], node.weight.shape)
        bits = min(build.march.accumulator_bits, build.march.bias_bits) - 2
        finest = min(FINEST, bits - DTYPES[source.dtype].bits)
        weight, steps = _on_grids(node.weight, node.bias, float(scale(source)[0]), bits, finest)
        bias = np.rint(node.bias.astype(np.float64) / (float(scale(source)[0]) * steps))
        ratio = Ratio((scale(source), steps.astype(np.float32)), (scale(output),))
        constants = build.profile.rescale_constants(ratio)
        constants |= {"weight": weight.astype(np.int16), "bias": bias.astype(np.int32)}
        clamp = build.clamp(node, output)
        build.emit(node, "batch_norm", node.inputs, output, clamp, constants)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        if len(shapes[0]) < 2 or weight != (shapes[0][1],):
            raise Unsupported(f"factors {weight} do not fit the channels of a tensor {shapes[0]}")
        return tuple(shapes[0])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        channels = (call.sources[0].shape[1:2],)
        limit = 1 << FINEST
        return {
            "weight": Constant(("int16",), channels, low=-limit, high=limit),
            "bias": Constant(("int32",), channels),
            **constants_of(call.profile, "rescale", (*channels, (1,))),
        }

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, c = call.node.attributes, _shaped(call)
        acc = call.centred(0, operands[0]) * c["weight"].astype(np.int64) + c["bias"]
        return np.clip(call.profile.rescale(acc, c) + call.zero_point, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        from qflow.emulation.runtimes._blocks import blockwise

        a, c, zero = call.node.attributes, _shaped(call), call.zero_point
        taps, offset = (c[n].astype(np.int64) for n in ("weight", "bias"))
        most = int((np.abs(taps) * reach(call, ranges) + np.abs(offset)).max())
        carrier = carrier_for(most, device)
        dtype = getattr(torch, carrier)
        factor, start = (
            torch.from_numpy(t).to(device, dtype) for t in (taps, offset - taps * call.zero(0))
        )
        limits = Limits(most, a["low"] - zero, a["high"] - zero)
        rescale = call.profile.fast_rescale(c, limits, device)

        def run(x: Tensor) -> Tensor:
            return rescale(x.to(dtype) * factor + start) + zero

        return Fast(blockwise(run), carrier, most)


def _on_grids(
    weight: np.ndarray, bias: np.ndarray, source: float, bits: int, finest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Integers and scale per channel, int64 and float64, such that the bias fits into `bits`."""
    size, shift = np.abs(weight.astype(np.float64)), np.abs(bias.astype(np.float64))
    # a factor too small to matter beside its bias is 0, at a scale that holds the bias
    smallest = np.maximum(shift / (source * 2.0**bits), np.finfo(np.float32).tiny * 2.0**FINEST)
    if not np.all(np.isfinite(smallest)):
        raise NoScale("its bias is more than its operand's scale can show")
    room = np.floor(np.log2(np.maximum(size, smallest) / smallest))
    fine = np.clip(room, 0, finest)
    integers = np.where(size > smallest, np.sign(weight) * 2.0**fine, 0.0)
    steps = np.where(size > smallest, size * 2.0**-fine, smallest)
    return integers.astype(np.int64), steps.astype(np.float32).astype(np.float64)


def _view(axes: int) -> tuple[int, ...]:
    """Channels of a batch."""
    return (1, -1) + (1,) * (axes - 2)


def _shaped(call: Call) -> dict[str, np.ndarray]:
    view = _view(len(call.sources[0].shape))
    return {role: array.reshape(view) for role, array in call.constants.items()}
