"""Normalizations: values brought to mean 0 and variance 1 in groups, then scaled and shifted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow import loops
from qflow.emulation import gemm
from qflow.emulation.arrays import as_array
from qflow.emulation.builder import NotFinite
from qflow.emulation.op import BYTES, CLAMP, Call, Constant, Fast, Op, Range, Unsupported
from qflow.emulation.ops import _affine, _normed, _roots
from qflow.emulation.ops._affine import FRACTION
from qflow.emulation.ops._roots import fast_reciprocal_root, reciprocal_root

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

Sizes = tuple[int, ...]
LONGEST_SHIFT = 62


class Normalization(Op):
    """The rule of all of them, on the N values x of one group, in int64:

    S = sum(x), m = floor(S / N), r = S - m N, Q = sum((x - m)^2); then N Q - r^2 is N^2 times the
    variance, exact. Shifted by `spread_shift` into 61 bits, with N^2 eps in the same units added,
    it is d; 1 / sqrt(d) is taken in integers to 24 bits (`_roots`). z = (N (x - m) - r) / sqrt(d)
    is rounded to Q.20, and y = floor((z gain + offset) 2^-shift), where gain and offset are weight
    and bias on the output's grid in fixed point, one half in the offset. Zero points of the operand
    fall out with the mean. The error is half a step, and below 0.03 steps from z, d and gain.
    """

    role = "normalization"
    fields = CLAMP
    within: ClassVar[Mapping[str, float]] = {"int8": 0.51, "int16": 0.55}

    def grouped(self, attributes: Mapping[str, Any], shape: Sizes) -> tuple[Sizes | None, int]:
        """Shape with the groups apart, -1 at the batch, or None where they are apart; and how many
        of its last axes are one group. Raises Unsupported."""
        raise NotImplementedError

    def per_value(self, attributes: Mapping[str, Any], shape: Sizes) -> Sizes:
        """Shape of weight and bias that broadcasts against the operand."""
        raise NotImplementedError

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        x = operands[0]
        sizes, axes = self._groups(attributes, x.shape)
        parts = _apart(x, sizes)
        mean, variance = parts.mean(axes, keepdims=True), parts.var(axes, keepdims=True)
        result = ((parts - mean) / np.sqrt(variance + attributes["eps"])).reshape(x.shape)
        view = self.per_value(attributes, x.shape)
        result = result if weight is None else result * weight.reshape(view)
        return as_array(result if bias is None else result + bias.reshape(view))

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if len(node.inputs) != 1:
            raise Unsupported("its weight or bias is computed: use one that is a parameter")
        source = build.operand(node, 0)
        output = build.output_type(node, source.shape)
        for name, found in (("weight", node.weight), ("bias", node.bias)):
            if found is not None and not np.all(np.isfinite(found)):
                raise NotFinite(f"its {name} is not finite")
        sizes, axes = self._groups(node.attributes, source.shape)
        rank = len(source.shape)
        fixed = range(rank - len(axes), rank) if sizes is None else range(1, rank)
        if any(d in fixed for d in build.free_axes(node.inputs[0])):
            raise Unsupported("it normalizes over the batch, whose size is free")
        count = prod((sizes or source.shape)[d] for d in axes)
        eps, spread_shift = _affine.spread(node.attributes["eps"], source, count)
        view = self.per_value(node.attributes, source.shape)
        constants = _affine.affine(node.weight, node.bias, output, view)
        constants["eps"] = np.array([eps], np.int64)
        constants["spread_shift"] = np.array([spread_shift], np.int32)
        attributes = {n: v for n, v in node.attributes.items() if n in self.fields}
        attributes |= build.clamp(node, output)
        build.emit(node, node.op, node.inputs, output, attributes, constants)

    def shape(
        self, attributes: Mapping[str, Any], shapes: Sequence[Sizes], weight: Sizes = ()
    ) -> Sizes:
        _, axes = self._groups(attributes, shapes[0])
        if not axes:
            raise Unsupported("it normalizes over no axis")
        return tuple(shapes[0])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        source = call.sources[0]
        view = self.per_value(call.node.attributes, source.shape)
        sizes, axes = self._groups(call.node.attributes, source.shape)
        count = prod((sizes or source.shape)[d] for d in axes)
        low, high = _affine.spread_shifts(source, count)
        return {
            **_affine.roles(view),
            "eps": Constant(("int64",), ((1,),), low=0, high=1 << (_affine.SPREAD_BITS)),
            "spread_shift": Constant(("int32",), ((1,),), low=low, high=high),
        }

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, c, x = call.node.attributes, call.constants, operands[0].astype(np.int64)
        sizes, axes = self._groups(a, call.sources[0].shape)
        parts, count = _apart(x, sizes), prod((sizes or x.shape)[d] for d in axes)
        total = parts.sum(axes, keepdims=True)
        mean = total // count
        rest = total - mean * count
        squares = ((parts - mean) ** 2).sum(axes, keepdims=True)
        spread = _affine.spread_of(squares, rest, count, int(c["spread_shift"][0]))
        # 0 only where all values are alike and eps is nothing: then they are 0 over anything
        number = np.maximum(spread + c["eps"], 1)
        factor, exponent = reciprocal_root(number)
        right = exponent + (int(c["spread_shift"][0]) // 2 - FRACTION)
        right = np.clip(right, 1, LONGEST_SHIFT)
        product = (count * (parts - mean) - rest) * factor
        normal = ((product + (np.int64(1) << (right - 1))) >> right).reshape(x.shape)
        y = (normal * c["gain"].astype(np.int64) + c["offset"]) >> int(c["shift"][0])
        return np.clip(y + call.zero_point, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        from qflow.emulation.runtimes import _carried
        from qflow.emulation.runtimes._blocks import blockwise

        a, zero = call.node.attributes, call.zero_point
        dtype = _carried.between(call, device)
        sizes, axes = self._groups(a, call.sources[0].shape)
        spread_shift = int(call.constants["spread_shift"][0])
        count = prod((sizes or call.sources[0].shape)[d] for d in axes)
        gain, offset, eps = (
            torch.from_numpy(call.constants[n].astype(np.int64)).to(device)
            for n in ("gain", "offset", "eps")
        )
        shift = int(call.constants["shift"][0])
        most, last = _affine.bounds(call, count, ranges[0])
        in_float = max(most, last) < 1 << (gemm.FLOAT64_BITS - 1)
        in_float &= FRACTION + spread_shift // 2 + 14 < gemm.FLOAT64_BITS
        carrier = "float64" if in_float else "int64"
        summed = getattr(torch, gemm.carrier_for(_affine.sum_of_squares(count, ranges[0]), device))
        scaled, start = gain.double() * 2.0**-shift, offset.double() * 2.0**-shift + zero

        def statistics(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            """Sum, factor and shift of each group, int64."""
            parts = _apart(x.to(summed), sizes)
            total = parts.sum(axes, keepdim=True).long()
            mean = total.div(count, rounding_mode="floor")
            rest = total - mean * count
            squares = (parts * parts).sum(axes, keepdim=True).long()
            squares = squares - mean * (2 * total - mean * count)
            spread = _affine.spread_of(squares, rest, count, spread_shift)
            factor, exponent = fast_reciprocal_root((spread + eps).clamp_(min=1))
            right = (exponent + (spread_shift // 2 - FRACTION)).clamp_(1, LONGEST_SHIFT)
            return total, factor, right

        def slope_and_middle(x: Tensor) -> tuple[Tensor, Tensor]:
            total, factor, right = statistics(x)
            # (N x - S) m 2^-e + 1/2: every step a multiple of 2^-e with less than 53 bits
            unit = torch.ldexp(factor.double(), -right)
            return unit * count, unit * total - 0.5

        def finish(x: Tensor, slope: Tensor, middle: Tensor) -> Tensor:
            normal = (
                _apart(x.to(torch.float64, copy=True), sizes).mul_(slope).sub_(middle).floor_()
            ).reshape(x.shape)
            y = normal.mul_(scaled).add_(start).floor_()
            return y.clamp_(a["low"], a["high"]).to(dtype)

        in_blocks = blockwise(finish, whole=True)
        if in_float and sizes is None and len(axes) == 1:
            quick = _in_one_pass(call, count, device) or _normed.fast(
                call, slope_and_middle, device
            )
            if quick is not None:
                return Fast(quick, carrier, most)

        def in_float64(x: Tensor) -> Tensor:
            return in_blocks(x, *slope_and_middle(x))

        def in_int64(x: Tensor) -> Tensor:
            total, factor, right = statistics(x)
            product = (_apart(x.long(), sizes) * count - total) * factor
            one = torch.ones_like(right)
            normal = ((product + (one << (right - 1))) >> right).reshape(x.shape)
            y = ((normal * gain + offset) >> shift) + zero
            return y.clamp_(a["low"], a["high"]).to(dtype)

        return Fast(in_float64 if in_float else in_int64, carrier, most)

    def _groups(self, attributes: Mapping[str, Any], shape: Sizes) -> tuple[Sizes | None, Sizes]:
        """Shape with the groups apart, and the axes of one group, from the last."""
        sizes, last = self.grouped(attributes, shape)
        return sizes, tuple(range(-last, 0))


def _in_one_pass(call: Call, width: int, device: Any) -> Callable[[Tensor], Tensor] | None:
    """Rows of bytes compiled, where their products are exact in float64."""
    types = (call.sources[0].dtype, call.node.output.dtype)
    if not loops.is_there(device) or not set(types) <= set(BYTES):
        return None
    import torch

    from qflow.loops import layer_norm as loop

    c, a = call.constants, call.node.attributes
    step = 2.0 ** -int(c["shift"][0])
    gain, start = (
        np.broadcast_to(c[n].reshape(-1).astype(np.float64) * step, width).copy()
        for n in ("gain", "offset")
    )
    constants = loop.Constants(
        gain,
        start + call.zero_point,
        int(c["eps"][0]),
        int(c["spread_shift"][0]),
        a["low"],
        a["high"],
        getattr(torch, call.node.output.dtype),
        FRACTION,
        _roots.WIDTH,
        _roots.DIVIDEND,
        LONGEST_SHIFT,
    )
    read = getattr(torch, call.sources[0].dtype)
    return lambda x: loop.layer_norm(x.to(read), constants)


def _apart(x: Any, sizes: Sizes | None) -> Any:
    """A tensor with its groups apart, in NumPy or torch."""
    return x if sizes is None else x.reshape(sizes)


def parameters_of(node: PreparedNode) -> tuple[Tensor | None, Tensor | None]:
    """Weight and bias as tensors; None where it has none."""
    import torch

    weight, bias = (None if a is None else torch.from_numpy(a) for a in (node.weight, node.bias))
    return weight, bias
