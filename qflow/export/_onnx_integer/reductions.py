"""reductions: sums, extremes and places along axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qflow.export._onnx_integer import forms
from qflow.export._onnx_integer.traced import Ends, Traced, Untraceable

OPS = {"sum": "ReduceSum", "max": "ReduceMax", "min": "ReduceMin", "prod": "ReduceProd"}
OF_UFUNC = {"add": "sum", "maximum": "max", "minimum": "min", "multiply": "prod"}


def of_ufunc(name: str, x: Any, kwargs: Mapping[str, Any]) -> Traced:
    """`np.add.reduce` and its like. Raises Untraceable."""
    if name not in OF_UFUNC or not isinstance(x, Traced):
        raise Untraceable(f"`numpy.{name}.reduce` has no form here")
    return reduced(x, OF_UFUNC[name], kwargs.get("axis", 0), bool(kwargs.get("keepdims", False)))


def reduced(x: Traced, how: str, axis: Any, keepdims: bool) -> Traced:
    if how == "mean":
        total = reduced(x, "sum", axis, keepdims)
        return total / (x.size // total.size)  # type: ignore[no-any-return]
    if how in ("any", "all"):
        found = reduced(x.astype(np.int64), "max" if how == "any" else "min", axis, keepdims)
        return found > 0  # type: ignore[no-any-return]
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    along = sorted(int(a) % x.ndim for a in axes)
    if not along:
        return x
    if x.dtype.kind in "iub" and how in ("sum", "prod"):
        x = x.astype(np.int64)
    count = int(np.prod([x.shape[a] for a in along]))
    kept = tuple(1 if i in along else n for i, n in enumerate(x.shape))
    shape = kept if keepdims else tuple(n for i, n in enumerate(x.shape) if i not in along)
    if count == 1:
        return forms.reshape(x, shape)
    return x.tape.node(
        OPS[how],
        [x, np.array(along, np.int64)],
        x.dtype,
        shape,
        _ends(x.ends, how, count),
        keepdims=int(keepdims),
    )


def placed(x: Traced, op: str, axis: Any, keepdims: bool = False) -> Traced:
    """`ArgMax` or `ArgMin`: the first of equal ones. Values go through int32, which all have."""
    if axis is None:
        x, axis = forms.reshape(x, (-1,)), 0
    axis = int(axis) % x.ndim
    x = x.astype(np.int32 if x.dtype.kind in "iub" else x.dtype)
    shape = tuple(1 if i == axis else n for i, n in enumerate(x.shape) if i != axis or keepdims)
    ends = (0, x.shape[axis] - 1)
    return x.tape.node(op, [x], np.int64, shape, ends, axis=axis, keepdims=int(keepdims))


def order(x: Traced, axis: int, descending: bool = False) -> Traced:
    """Places in order, equal values as they come."""
    axis %= x.ndim
    count = np.array([x.shape[axis]], np.int64)
    tape = x.tape
    name = tape.builder.step(
        "TopK",
        [x.name, tape.constant(count)],
        f"{tape.at}/topk",
        axis=axis,
        largest=int(descending),
        sorted=1,
        unused=(f"{tape.at}/topk/values",),
    )
    return Traced(tape, name, np.dtype(np.int64), x.shape, (0, x.shape[axis] - 1))


def _ends(ends: Ends | None, how: str, count: int) -> Ends | None:
    if ends is None or how == "prod":
        return None
    return ends if how != "sum" else (ends[0] * count, ends[1] * count)
