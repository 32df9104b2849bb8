"""functions: NumPy's functions of whole arrays, where they are given traced values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from qflow.export._onnx_integer import elementwise, forms, products, reductions, windows
from qflow.export._onnx_integer.places import from_table, gathered, sliced
from qflow.export._onnx_integer.tape import Tape, ends_of, slim
from qflow.export._onnx_integer.traced import Ends, Traced, Untraceable

PADS = {"constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}


def apply(tape: Tape, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Raises Untraceable."""
    name = function.__name__
    if name not in RULES:
        raise Untraceable(f"`numpy.{name}` has no form here")
    return RULES[name](tape, *args, **kwargs)


def _where(tape: Tape, mask: Any, yes: Any, no: Any) -> Any:
    if not isinstance(mask, Traced):
        whole = np.asarray(mask)
        if whole.all() or not whole.any():
            chosen = yes if whole.all() else no
            shape = np.broadcast_shapes(whole.shape, np.shape(yes), np.shape(no))
            if isinstance(chosen, Traced) and chosen.shape == shape:
                return chosen
    dtype = np.result_type(elementwise._blank(yes), elementwise._blank(no))
    ready = [elementwise._brought(tape, x, dtype) for x in (yes, no)]
    shape = np.broadcast_shapes(np.shape(mask), *[np.shape(x) for x in ready])
    test, *ready = slim([elementwise.truth(tape, mask), *ready])
    ends = _hull([ends_of(x) for x in ready]) if dtype.kind in "iu" else None
    return tape.node("Where", [test, *ready], dtype, shape, ends)


def _clip(tape: Tape, x: Any, low: Any = None, high: Any = None, **_: Any) -> Any:
    """`Max`, then `Min`, as NumPy does; ends of whole numbers that clamp nothing are left out."""
    known = ends_of(x)
    for end, name in ((low, "maximum"), (high, "minimum")):
        limits = None if end is None else ends_of(end)
        if end is None:
            continue
        if known is not None and limits is not None and limits != known:
            idle = known[0] >= limits[1] if name == "maximum" else known[1] <= limits[0]
            if idle and np.ndim(end) == 0:
                continue
        x = getattr(np, name)(x, end)
        known = ends_of(x)
    if isinstance(x, Traced) and x.ends is None and x.dtype.kind in "iu":
        return Traced(tape, x.name, x.dtype, x.shape, _between(low, high))
    return x


def _between(low: Any, high: Any) -> Ends | None:
    """What a clamp leaves of values whose ends are unknown."""
    below, above = (None if end is None else ends_of(end) for end in (low, high))
    return None if below is None or above is None else (min(below[0], above[0]), above[1])


def _concatenate(tape: Tape, parts: Any, axis: int = 0, **_: Any) -> Any:
    return forms.joined(tape, [_array(p) for p in parts], axis)


def _stack(tape: Tape, parts: Any, axis: int = 0, **_: Any) -> Any:
    return forms.joined(tape, [np.expand_dims(_array(p), axis) for p in parts], axis)


def _split(tape: Tape, x: Any, parts: Any, axis: int = 0) -> Any:
    places = (
        [i * (x.shape[axis] // parts) for i in range(1, parts)]
        if isinstance(parts, int)
        else list(parts)
    )
    ends = [0, *places, x.shape[axis]]
    return [sliced(x, axis % x.ndim, slice(a, b)) for a, b in pairwise(ends)]


def _pad(tape: Tape, x: Traced, around: Any, mode: str = "constant", **settings: Any) -> Any:
    sides = np.broadcast_to(np.asarray(around), (x.ndim, 2)).tolist()
    if not any(map(any, sides)):
        return x
    value = x.dtype.type(settings.get("constant_values", 0))
    amounts = np.array([s[0] for s in sides] + [s[1] for s in sides], np.int64)
    shape = [n + a + b for n, (a, b) in zip(x.shape, sides, strict=True)]
    ends = x.ends
    if mode == "constant":
        ends = _hull([x.ends, ends_of(value)])
    inputs = [x, amounts, value] if mode == "constant" else [x, amounts]
    return tape.node("Pad", inputs, x.dtype, shape, ends, mode=PADS[mode])


def _take(tape: Tape, x: Any, places: Any, axis: Any = None, **_: Any) -> Any:
    if isinstance(x, Traced):
        return gathered(x, int(axis or 0) % x.ndim, _array(places))
    if axis not in (None, 0) or np.ndim(x) != 1:
        raise Untraceable("it takes from a constant of several axes")
    return from_table(np.asarray(x), places)


def _take_along(tape: Tape, x: Any, places: Any, axis: int) -> Any:
    axis %= np.ndim(x)
    ends = ends_of(x)
    return tape.node("GatherElements", [x, places], x.dtype, places.shape, ends, axis=axis)


def _moveaxis(tape: Tape, x: Traced, source: Any, target: Any) -> Any:
    blank = np.broadcast_to(np.zeros(()), tuple(range(2, 2 + x.ndim)))
    moved = np.moveaxis(blank, source, target).shape
    return forms.transpose(x, [n - 2 for n in moved])


def _swapaxes(tape: Tape, x: Traced, one: int, other: int) -> Any:
    dims = list(range(x.ndim))
    dims[one], dims[other] = dims[other], dims[one]
    return forms.transpose(x, dims)


def _squeeze(tape: Tape, x: Traced, axis: Any = None) -> Any:
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    gone = {int(a) % x.ndim for a in axes if a is not None}
    gone = gone or {i for i, n in enumerate(x.shape) if n == 1}
    return forms.reshape(x, [n for i, n in enumerate(x.shape) if i not in gone])


def _expand_dims(tape: Tape, x: Traced, axis: Any) -> Any:
    return forms.expanded(x, axis if isinstance(axis, (tuple, list)) else (axis,))


def _tile(tape: Tape, x: Traced, times: Any) -> Any:
    counts = list(times) if isinstance(times, (tuple, list)) else [times]
    counts = [1] * (x.ndim - len(counts)) + counts
    x = forms.reshape(x, (1,) * (len(counts) - x.ndim) + x.shape)
    shape = [n * t for n, t in zip(x.shape, counts, strict=True)]
    return tape.node("Tile", [x, np.array(counts, np.int64)], x.dtype, shape, x.ends)


def _repeat(tape: Tape, x: Traced, count: Any, axis: Any = None) -> Any:
    if axis is None:
        x, axis = forms.reshape(x, (-1,)), 0
    places = np.repeat(np.arange(x.shape[axis]), count)
    return gathered(x, axis % x.ndim, places)


def _roll(tape: Tape, x: Traced, shift: Any, axis: Any) -> Any:
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    for by, along in zip(shifts, axes, strict=True):
        size = x.shape[along]
        if by % size:
            cut, axis_of = size - by % size, along % x.ndim
            ends = (slice(cut, None), slice(0, cut))
            x = forms.joined(tape, [sliced(x, axis_of, part) for part in ends], axis_of)
    return x


def _flip(tape: Tape, x: Traced, axis: Any) -> Any:
    for along in axis if isinstance(axis, (tuple, list)) else (axis,):
        x = gathered(x, along % x.ndim, np.arange(x.shape[along])[::-1])
    return x


def _cumsum(tape: Tape, x: Traced, axis: Any) -> Any:
    x = x.astype(np.int64) if x.dtype.kind in "iub" else x
    return tape.node("CumSum", [x, np.int64(axis % x.ndim)], x.dtype, x.shape)


def _outer(tape: Tape, a: Any, b: Any) -> Any:
    return np.ravel(a)[:, None] * np.ravel(b)[None]


def _argsort(tape: Tape, x: Traced, axis: int = -1, **_: Any) -> Any:
    return reductions.order(x, axis)


def _filled(value: float) -> Callable[..., np.ndarray]:
    def run(tape: Tape, x: Traced, dtype: Any = None, **_: Any) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, dtype or x.dtype), x.shape)

    return run


def _full_like(tape: Tape, x: Traced, value: Any, dtype: Any = None, **_: Any) -> np.ndarray:
    return np.broadcast_to(np.asarray(value, dtype or x.dtype), x.shape)


def _nan_to_num(tape: Tape, x: Traced, nan: float = 0.0, **_: Any) -> Any:
    return np.where(np.isnan(x), x.dtype.type(nan), x)


def _broadcast_arrays(tape: Tape, *arrays: Any, **_: Any) -> Any:
    shape = np.broadcast_shapes(*[np.shape(a) for a in arrays])
    return [np.broadcast_to(a, shape) for a in arrays]


def _windowed(tape: Tape, x: Traced, reach: Any, axis: Any = None, **_: Any) -> Any:
    return windows.of(x, tuple(reach), tuple(axis))


def _reduced(how: str) -> Callable[..., Traced]:
    def run(tape: Tape, x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
        return getattr(x, how)(axis=axis, keepdims=keepdims)

    return run


def _array(value: Any) -> Any:
    return value if isinstance(value, Traced) else np.asarray(value)


def _hull(ends: list[Ends | None]) -> Ends | None:
    known = [e for e in ends if e is not None]
    if len(known) != len(ends):
        return None
    return min(e[0] for e in known), max(e[1] for e in known)


RULES: Mapping[str, Callable[..., Any]] = {
    "where": _where,
    "clip": _clip,
    "concatenate": _concatenate,
    "stack": _stack,
    "split": _split,
    "pad": _pad,
    "take": _take,
    "take_along_axis": _take_along,
    "moveaxis": _moveaxis,
    "swapaxes": _swapaxes,
    "transpose": lambda tape, x, axes=None: x.transpose(axes),
    "reshape": lambda tape, x, shape=None, **kw: x.reshape(kw.get("newshape", shape)),
    "ravel": lambda tape, x: x.ravel(),
    "squeeze": _squeeze,
    "expand_dims": _expand_dims,
    "broadcast_to": lambda tape, x, shape, **_: forms.spread(x, shape),
    "broadcast_arrays": _broadcast_arrays,
    "tile": _tile,
    "repeat": _repeat,
    "roll": _roll,
    "flip": _flip,
    "cumsum": _cumsum,
    "outer": _outer,
    "argsort": _argsort,
    "argmax": lambda tape, x, axis=None, keepdims=False: reductions.placed(
        x, "ArgMax", axis, keepdims
    ),
    "argmin": lambda tape, x, axis=None, keepdims=False: reductions.placed(
        x, "ArgMin", axis, keepdims
    ),
    "sum": _reduced("sum"),
    "max": _reduced("max"),
    "amax": _reduced("max"),
    "min": _reduced("min"),
    "amin": _reduced("min"),
    "mean": _reduced("mean"),
    "any": _reduced("any"),
    "all": _reduced("all"),
    "shape": lambda tape, x: x.shape,
    "ndim": lambda tape, x: x.ndim,
    "size": lambda tape, x: x.size,
    "result_type": lambda tape, *xs: np.result_type(*[elementwise._blank(x) for x in xs]),
    "nan_to_num": _nan_to_num,
    "tensordot": products.tensordot,
    "einsum": products.einsum,
    "sliding_window_view": _windowed,
    "zeros_like": _filled(0),
    "ones_like": _filled(1),
    "full_like": _full_like,
    "copy": lambda tape, x, **_: x,
    "ascontiguousarray": lambda tape, x, **_: x,
}
