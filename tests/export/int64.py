"""int64: what a prepared model's integers must be, from its state dict and the rules alone.

Written from `numerics`: one grid per tensor, M = s_x * s_w / s_y, a multiplier of 15 or 31 bits and
a shift, half up. It shares no arithmetic with the emulator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import fx
from torch.fx.node import map_arg

from qflow.march import March
from qflow.quantization.attach import output_grid
from qflow.tracing.call import call_of

LIMITS = {"int8": (-128, 127), "int16": (-32768, 32767), "int32": (-(2**31), 2**31 - 1)}
WIDTH = {"mul15": 15, "tosa_single": 31, "tosa.single": 31}
GUARD = {127: 2.0**20, 32767: 2.0**15}


@dataclass
class Integers:
    values: np.ndarray
    scale: np.ndarray
    """float32, [1] or one per channel along `axis`."""
    dtype: str
    axis: int | None = None

    @property
    def step(self) -> np.float64:
        return np.float64(self.scale[0])

    def real(self) -> torch.Tensor:
        shape = [-1 if d == self.axis else 1 for d in range(self.values.ndim)]
        scale = self.scale if self.axis is None else self.scale.reshape(shape)
        return torch.from_numpy(self.values.astype(np.float32) * scale)


def rescaled(values: np.ndarray, ratio: Any, profile: str) -> np.ndarray:
    """Channels last where there are several ratios."""
    made = [_one(values[..., c] if np.size(ratio) > 1 else values, float(r), WIDTH[profile])
            for c, r in enumerate(np.atleast_1d(ratio))]  # fmt: skip
    return np.stack(made, -1) if len(made) > 1 else made[0].reshape(values.shape)


def _one(values: np.ndarray, ratio: float, width: int) -> np.ndarray:
    fraction, exponent = math.frexp(ratio)
    multiplier, shift = math.floor(Fraction(fraction) * 2**width + Fraction(1, 2)), width - exponent
    if multiplier == 2**width:
        multiplier, shift = multiplier // 2, shift - 1
    exact = values.astype(object) * multiplier
    found = (exact + (1 << (shift - 1))) >> shift if shift > 0 else exact << -shift
    return found.astype(np.int64)


def on_grid(values: np.ndarray, scale: np.ndarray, low: int, high: int) -> np.ndarray:
    quotient = values.astype(np.float32) / scale.astype(np.float32)
    return np.clip(np.rint(quotient.astype(np.float64)), low, high).astype(np.int64)


def windows(x: np.ndarray, module: Any, kernel: Any, fill: int = 0) -> np.ndarray:
    def pair(v: Any) -> tuple[int, int]:
        return tuple(v) if isinstance(v, tuple) else (v, v)  # type: ignore[return-value]

    (kh, kw), (sh, sw), (ph, pw) = pair(kernel), pair(module.stride), pair(module.padding)
    dh, dw = pair(getattr(module, "dilation", 1))
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=fill)
    span = (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
    found = np.lib.stride_tricks.sliding_window_view(x, span, axis=(2, 3))
    return found[:, :, ::sh, ::sw, ::dh, ::dw]


class Int64:
    """Runs the graph of a prepared model; floats outside of the stubs run in torch."""

    def __init__(self, prepared: fx.GraphModule, march: March) -> None:
        self.prepared, self.profile = prepared, march.profile
        self.state = {k: v.detach().numpy() for k, v in prepared.state_dict().items()}

    def run(self, *placeholders: Any) -> Any:
        values: dict[fx.Node, Any] = {}
        given = iter(placeholders)
        for node in self.prepared.graph.nodes:
            if node.op == "output":
                return map_arg(node.args[0], values.__getitem__)
            if node.op == "placeholder":
                values[node] = next(given)
                continue
            args = map_arg(node.args, values.__getitem__)
            values[node] = self.node(node, args, map_arg(node.kwargs, values.__getitem__))

    def node(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        call = call_of(node)
        if call is None or call.op == "input":
            if node.op == "call_method":  # a size, of floats or of integers
                (source, *rest) = args
                shape = source.values.shape if isinstance(source, Integers) else source.shape
                return shape[rest[0]] if rest else shape
            if node.target is getattr:
                source = args[0]
                return source.values.shape if isinstance(source, Integers) else source.shape
            assert callable(node.target)
            return node.target(*args, **kwargs)
        owner = output_grid(node).owner
        scale = np.ones(1, np.float32)
        if owner is not None:
            scale = self.state[f"{owner}.activation_post_process.scale"]
        module: Any = self.prepared.get_submodule(call.address)
        read = [self.operand(call.address, i, x) for i, x in enumerate(_integers((args, kwargs)))]
        if not read and call.op != "quant":
            return module(*args, **kwargs)
        dtype = output_grid(node).dtype
        found: Any = getattr(self, call.op)
        return found(module, call, args[0] if call.op == "quant" else read, scale, dtype)

    def operand(self, address: str, slot: int, x: Integers) -> Integers:
        path = f"{address}.activation_pre_process.{slot}"
        if f"{path}.scale" not in self.state:
            return x
        dtype = self.prepared.get_submodule(path).dtype.name
        return self.brought(x, self.state[f"{path}.scale"], dtype)

    def brought(self, x: Integers, scale: np.ndarray, dtype: str) -> Integers:
        if x.dtype == dtype and np.array_equal(x.scale, scale):
            return x
        found = rescaled(x.values, x.step / np.float64(scale[0]), self.profile)
        return Integers(np.clip(found, *LIMITS[dtype]), scale, dtype)

    def quant(self, module: Any, call: Any, x: Any, scale: Any, dtype: str) -> Integers:
        return Integers(on_grid(x.numpy(), scale, *LIMITS[dtype]), scale, dtype)

    def dequant(self, module: Any, call: Any, read: Any, scale: Any, dtype: str) -> torch.Tensor:
        return read[0].real()

    def identity(self, module: Any, call: Any, read: Any, scale: Any, dtype: str) -> Integers:
        return read[0]

    def conv2d(self, module: Any, call: Any, read: Any, scale: Any, dtype: str) -> Integers:
        def product(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
            found, groups = windows(x, module, module.kernel_size), module.groups
            parts = zip(np.split(found, groups, 1), np.split(weight, groups), strict=True)
            return np.concatenate([np.einsum("nchwij,ocij->nhwo", x, w) for x, w in parts], -1)

        made = self.gemm(module, call.address, product, read, scale, dtype, (0, 2, 3, 1))
        made.values = made.values.transpose(0, 3, 1, 2)
        made.axis = 1 if dtype == "int32" else None
        return made

    def linear(self, module: Any, call: Any, read: Any, scale: Any, dtype: str) -> Integers:
        axes = tuple(range(read[0].values.ndim))
        product = lambda x, weight: x @ weight.T  # noqa: E731
        return self.gemm(module, call.address, product, read, scale, dtype, axes)

    def gemm(self, module, address, product, read, scale, dtype, axes) -> Integers:
        x, quantizer = read[0], module.weight_fake_quant
        weight, bias = (None if p is None else p.detach().numpy() for p in folded(module))
        steps = np.broadcast_to(quantizer.scale.numpy(), len(weight)).astype(np.float32)
        along = steps.reshape(-1, *[1] * (weight.ndim - 1))
        whole = on_grid(weight, along, quantizer.dtype.qmin, quantizer.dtype.qmax)
        fine = x.step * steps.astype(np.float64)
        total = product(x.values, whole)
        if bias is not None:
            total = total + np.rint(bias.astype(np.float64) / fine).astype(np.int64)
        total = np.clip(total, *LIMITS["int32"])
        if len(read) > 1:
            added = np.broadcast_to(read[1].values.transpose(axes), total.shape)
            total = total + rescaled(added, read[1].step / fine, self.profile)
            total = np.clip(total, *LIMITS["int32"])
        if dtype == "int32":
            kept = np.maximum(total, 0) if module.activation else total
            return Integers(kept, np.float32(x.scale[0]) * steps, dtype, total.ndim - 1)
        found = rescaled(total, fine / np.float64(scale[0]), self.profile)
        return Integers(np.clip(found, *limits(module.activation, scale, dtype)), scale, dtype)

    def add(self, module: Any, call: Any, read: Any, scale: Any, dtype: str) -> Integers:
        left, right = read
        guard = GUARD[max(LIMITS[x.dtype][1] for x in read)]
        double = 2 * max(left.step, right.step)
        total = sum(rescaled(x.values, x.step / double * guard, self.profile) for x in read)
        found = rescaled(total, double / (guard * np.float64(scale[0])), self.profile)
        return Integers(np.clip(found, *LIMITS[dtype]), scale, dtype)

    def relu(self, module: Any, call: Any, read: Any, scale: Any, dtype: str) -> Integers:
        found = rescaled(read[0].values, read[0].step / np.float64(scale[0]), self.profile)
        return Integers(np.clip(found, *limits(call.op, scale, dtype)), scale, dtype)

    relu6 = relu

    def max_pool2d(self, module: Any, call: Any, read: Any, scale: Any, dtype: str) -> Integers:
        x = self.brought(read[0], scale, dtype).values
        return Integers(windows(x, module, module.kernel_size, -(2**40)).max((4, 5)), scale, dtype)

    def adaptive_avg_pool2d(self, module, call, read, scale, dtype) -> Integers:
        count = math.prod(read[0].values.shape[2:])
        total = read[0].values.sum((2, 3), keepdims=True)
        found = rescaled(total, read[0].step / (np.float64(scale[0]) * count), self.profile)
        return Integers(np.clip(found, *LIMITS[dtype]), scale, dtype)

    def flatten(self, module: Any, call: Any, read: Any, scale: Any, dtype: str) -> Integers:
        x = self.brought(read[0], scale, dtype).values
        return Integers(x.reshape(len(x), *call.shape[1:]), scale, dtype)

    def cat(self, module: Any, call: Any, read: Any, scale: Any, dtype: str) -> Integers:
        parts = [self.brought(x, scale, dtype).values for x in read]
        return Integers(np.concatenate(parts, call.attributes["dim"]), scale, dtype)


def folded(module: Any) -> tuple[Any, Any]:
    """Weight and bias with a kept batch norm in them."""
    if not hasattr(module, "bn"):
        return module.weight, module.bias
    bn = module.bn
    factor = bn.weight.double() / torch.sqrt(bn.running_var.double() + bn.eps)
    weight = module.weight.double() * factor.reshape(-1, *[1] * (module.weight.dim() - 1))
    bias = 0 if module.bias is None else module.bias.double()
    return weight.float(), ((bias - bn.running_mean) * factor + bn.bias).float()


def limits(activation: str | None, scale: np.ndarray, dtype: str) -> tuple[int, int]:
    low, high = LIMITS[dtype]
    if activation == "relu6":
        high = min(high, round(float(np.float32(6) / np.float32(scale[0]))))
    return (0 if activation else low), high


def _integers(value: Any) -> list[Integers]:
    if isinstance(value, Integers):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [x for part in parts for x in _integers(part)] if hasattr(parts, "__iter__") and not (
        isinstance(value, (str, torch.Tensor))
    ) else []  # fmt: skip
