"""products: convolutions and matrix products of whole numbers, exact in floats that hold every sum.

A sum of whole numbers is exact in float32, whatever its order, as long as no partial sum can reach
2^24, and in float64 below 2^53; the bound comes from the weights themselves. ONNX convolves no
float64 on most runtimes: a layer that float32 does not hold is cut into layers of fewer bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from qflow.export._onnx_integer import forms
from qflow.export._onnx_integer.tape import WHOLE, Tape, ends_of
from qflow.export._onnx_integer.traced import Traced, Untraceable

EXACT32, EXACT64 = 1 << 24, 1 << 53
BYTE = 8


def convolved(x: Traced, weight: np.ndarray, attributes: Mapping[str, Any]) -> Traced:
    """int64 sums [batch, out, ...] of int64 [batch, in, ...]. Raises Untraceable."""
    if x.dtype.kind == "f" or isinstance(weight, Traced):
        raise Untraceable("ONNX has no exact convolution of it")
    total: Any = None
    for values, shift in _parts(x):
        reach = _reach(values)
        for layer, bits in _layers(np.asarray(weight), reach):
            found = _in_float32(values, layer, attributes)
            bound = int(np.abs(layer).reshape(len(layer), -1).sum(1).max()) * reach
            found = Traced(x.tape, found.name, found.dtype, found.shape, (-bound, bound))
            term = found * (1 << (shift + bits))
            total = term if total is None else total + term
    return total  # type: ignore[no-any-return]


def _in_float32(x: Traced, weight: np.ndarray, attributes: Mapping[str, Any]) -> Traced:
    n = x.ndim - 2
    kernel, stride, dilation = (tuple(attributes[k]) for k in ("kernel", "stride", "dilation"))
    padding = tuple(attributes["padding"])
    sizes = [
        (x.shape[2 + i] + padding[i] + padding[n + i] - dilation[i] * (kernel[i] - 1) - 1)
        // stride[i]
        + 1
        for i in range(n)
    ]
    shape = (x.shape[0], len(weight), *sizes)
    real = x.tape.cast(x, np.dtype(np.float32))
    found = x.tape.node(
        "Conv",
        [real, weight.astype(np.float32)],
        np.float32,
        shape,
        kernel_shape=list(kernel),
        strides=list(stride),
        pads=list(padding),
        dilations=list(dilation),
        group=int(attributes["groups"]),
    )
    return x.tape.cast(found, WHOLE)


def _parts(x: Traced) -> Iterator[tuple[Traced, int]]:
    """The values themselves, or their high and low bytes with the shift of each."""
    if _reach(x) <= 1 << BYTE:
        yield x, 0
        return
    high = x >> BYTE
    low = x & ((1 << BYTE) - 1)
    yield Traced(x.tape, low.name, low.dtype, low.shape, (0, (1 << BYTE) - 1)), 0
    yield high, BYTE


def _layers(weight: np.ndarray, reach: int) -> Iterator[tuple[np.ndarray, int]]:
    """Weights that add up, shifted, to `weight`; the sums of each stay below 2^24."""
    for bits in (16, 8, 6, 4, 3, 2, 1):
        layers = list(_digits(weight.astype(np.int64), bits))
        if all(_sum(layer) * reach < EXACT32 for layer, _ in layers):
            yield from layers
            return
    raise Untraceable("its sums are beyond what float32 holds, even bit by bit")


def _digits(weight: np.ndarray, bits: int) -> Iterator[tuple[np.ndarray, int]]:
    """Signed digits of so many bits; one of zeros is left out, but for the last one of all."""
    shift, rest, found = 0, weight, False
    while rest.any() or not found:
        half = 1 << (bits - 1)
        digit = ((rest + half) & ((1 << bits) - 1)) - half if bits > 1 else rest & 1
        done = not (rest - digit).any()
        if digit.any() or done:
            found = True
            yield digit, shift
        if done:
            return
        rest, shift = (rest - digit) >> bits, shift + bits


def matmul(tape: Tape, left: Any, right: Any) -> Traced:
    """int64 of int64, or floats of floats. Raises Untraceable."""
    shape = _shape(np.shape(left), np.shape(right))
    if _dtype(left).kind == "f" or _dtype(right).kind == "f":
        dtype = np.result_type(_dtype(left), _dtype(right))
        ready = [_cast(tape, x, dtype) for x in (left, right)]
        return tape.node("MatMul", ready, dtype, shape)
    bound = _bound(left, right)
    if bound >= EXACT64:
        raise Untraceable("its sums are beyond what float64 holds")
    carrier = np.dtype(np.float32 if bound < EXACT32 else np.float64)
    ready = [_cast(tape, x, carrier) for x in (left, right)]
    found = tape.cast(tape.node("MatMul", ready, carrier, shape), WHOLE)
    return Traced(tape, found.name, WHOLE, found.shape, (-bound, bound))


def tensordot(tape: Tape, left: Any, right: Any, axes: Any = 2) -> Traced:
    if not isinstance(left, Traced) or isinstance(axes, int):
        raise Untraceable("a product along these axes has no form here")
    ours, theirs = ([a] if isinstance(a, int) else list(a) for a in axes)
    kept = [d for d in range(left.ndim) if d not in ours]
    others = [d for d in range(np.ndim(right)) if d not in theirs]
    rows = forms.reshape(
        forms.transpose(left, [*kept, *ours]), (-1, int(np.prod([left.shape[d] for d in ours])))
    )
    columns = right.transpose([*theirs, *others]).reshape(rows.shape[1], -1)
    shape = [left.shape[d] for d in kept] + [right.shape[d] for d in others]
    return forms.reshape(rows @ columns, shape)


def einsum(tape: Tape, equation: str, *operands: Any, **_: Any) -> Traced:
    """Two operands whose letters are a matrix product after transposes."""
    from qflow.export._onnx_integer.letters import product

    return product(tape, equation, *operands)


def _bound(left: Any, right: Any) -> int:
    if isinstance(left, Traced) and isinstance(right, Traced):
        return left.shape[-1] * _reach(left) * _reach(right)
    traced, known = (left, right) if isinstance(left, Traced) else (right, left)
    axis = -2 if traced is left and np.ndim(known) > 1 else -1
    return int(np.abs(np.asarray(known, np.int64)).sum(axis).max(initial=0)) * _reach(traced)


def _sum(layer: np.ndarray) -> int:
    return int(np.abs(layer).reshape(len(layer), -1).sum(1).max(initial=0))


def _reach(x: Any) -> int:
    ends = ends_of(x)
    if ends is None:
        raise Untraceable("nothing bounds what it multiplies")
    return max(abs(ends[0]), abs(ends[1]))


def _shape(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    if len(left) < 2 or len(right) < 2:
        raise Untraceable("products of vectors have no form here")
    return (*np.broadcast_shapes(left[:-2], right[:-2]), left[-2], right[-1])


def _dtype(x: Any) -> np.dtype[Any]:
    return x.dtype if isinstance(x, Traced) else np.asarray(x).dtype


def _cast(tape: Tape, x: Any, dtype: np.dtype[Any]) -> Any:
    return tape.cast(x, dtype) if isinstance(x, Traced) else np.asarray(x).astype(dtype)
