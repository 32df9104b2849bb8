"""forms: reshapes, transposes and what spreads values; none of it changes one."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from qflow.export._onnx_integer.tape import Tape
from qflow.export._onnx_integer.traced import Traced


def reshape(x: Traced, shape: Sequence[int]) -> Traced:
    known = prod(int(n) for n in shape if n != -1)
    full = tuple(x.size // known if n == -1 else int(n) for n in shape)
    if full == x.shape:
        return x
    return x.tape.node("Reshape", [x, np.array(full, np.int64)], x.dtype, full, x.ends)


def transpose(x: Traced, dims: Sequence[int]) -> Traced:
    order = [int(d) % x.ndim for d in dims]
    if order == list(range(x.ndim)):
        return x
    shape = [x.shape[d] for d in order]
    return x.tape.node("Transpose", [x], x.dtype, shape, x.ends, perm=order)


def spread(x: Traced, shape: Sequence[int]) -> Traced:
    full = tuple(int(n) for n in shape)
    if full == x.shape:
        return x
    return x.tape.node("Expand", [x, np.array(full, np.int64)], x.dtype, full, x.ends)


def joined(tape: Tape, parts: Sequence[Any], axis: int) -> Traced:
    dtype = np.result_type(*[p.dtype for p in parts])
    ready = [p.astype(dtype) for p in parts]
    shape = list(parts[0].shape)
    axis %= len(shape)
    shape[axis] = sum(p.shape[axis] for p in parts)
    known = [_ends(p) for p in parts]
    ends = None
    if all(e is not None for e in known):
        ends = min(e[0] for e in known if e), max(e[1] for e in known if e)
    return tape.node("Concat", ready, dtype, shape, ends, axis=axis)


def expanded(x: Traced, places: Sequence[int]) -> Traced:
    """With new axes of one value; `places` are those of the result."""
    rank = x.ndim + len(places)
    new = {p % rank for p in places}
    rest = iter(x.shape)
    return reshape(x, [1 if i in new else next(rest) for i in range(rank)])


def _ends(part: Any) -> Any:
    from qflow.export._onnx_integer.tape import ends_of

    return ends_of(part)
