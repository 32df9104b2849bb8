"""places: what is taken out of an array by indices, slices and lists of places."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.export._onnx_integer import forms
from qflow.export._onnx_integer.traced import Traced, Untraceable

END = (1 << 63) - 1
START = -END


def taken(x: Traced, key: Any) -> Traced:
    """`x[key]`. Raises Untraceable."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if Ellipsis in [k for k in keys if not isinstance(k, (np.ndarray, Traced))]:
        at = next(i for i, k in enumerate(keys) if k is Ellipsis)
        missing = x.ndim - sum(k is not None and k is not Ellipsis for k in keys)
        keys[at : at + 1] = [slice(None)] * missing
    lists = [i for i, k in enumerate(keys) if isinstance(k, (np.ndarray, Traced, list))]
    if len(lists) > 1:
        return _joint(x, keys, lists)
    axis = 0
    added: list[int] = []
    dropped: list[int] = []
    for k in keys:
        if k is None:
            added.append(axis + len(added) - len(dropped))
            continue
        if isinstance(k, slice):
            x = sliced(x, axis, k)
        elif isinstance(k, (int, np.integer)):
            if not -x.shape[axis] <= k < x.shape[axis]:
                raise IndexError(f"place {k} of {x.shape[axis]}")
            x = sliced(x, axis, slice(int(k), None if k == -1 else int(k) + 1))
            dropped.append(axis)
        else:
            places = k if isinstance(k, Traced) else np.asarray(k)
            if places.dtype == np.bool_:
                raise Untraceable("it picks by a mask")
            x = gathered(x, axis, places)
            axis += places.ndim - 1
        axis += 1
    if dropped:
        x = forms.reshape(x, [n for i, n in enumerate(x.shape) if i not in dropped])
    return forms.expanded(x, added) if added else x


def sliced(x: Traced, axis: int, part: slice) -> Traced:
    start, stop, step = part.indices(x.shape[axis])
    count = len(range(start, stop, step))
    if (start, step, count) == (0, 1, x.shape[axis]):
        return x
    last = stop if stop >= 0 else START
    places = [np.array([v], np.int64) for v in (start, last, axis, step)]
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    return x.tape.node("Slice", [x, *places], x.dtype, shape, x.ends)


def gathered(x: Traced, axis: int, places: Any) -> Traced:
    shape = (*x.shape[:axis], *places.shape, *x.shape[axis + 1 :])
    return x.tape.node("Gather", [x, _indices(places)], x.dtype, shape, x.ends, axis=axis)


def from_table(table: np.ndarray, key: Any) -> Traced:
    """`table[key]` of a table that is a constant."""
    keys = key if isinstance(key, tuple) else (key,)
    wanted = next(k for k in keys if isinstance(k, Traced))
    if len(keys) > 1:
        return _joint_table(wanted, table, keys)
    ends = None
    if table.dtype.kind in "iu" and table.size:
        ends = int(table.min()), int(table.max())
    shape = (*wanted.shape, *table.shape[1:])
    return wanted.tape.node("Gather", [table, _indices(wanted)], table.dtype, shape, ends, axis=0)


def _joint(x: Traced, keys: list[Any], lists: list[int]) -> Traced:
    """Lists of places along the first axes, together: one place per value of the result."""
    if lists != list(range(len(lists))) or len(keys) != len(lists):
        raise Untraceable("it picks along several axes that are not the first")
    shape = np.broadcast_shapes(*[keys[i].shape for i in lists])
    flat: Any = np.int64(0)
    for i in lists:
        flat = flat * x.shape[i] + keys[i]
    flat = flat if isinstance(flat, Traced) else np.broadcast_to(flat, shape)
    rows = forms.reshape(x, (-1, *x.shape[len(lists) :]))
    return gathered(rows, 0, flat)


def _joint_table(wanted: Traced, table: np.ndarray, keys: tuple[Any, ...]) -> Traced:
    flat: Any = np.int64(0)
    for i, k in enumerate(keys):
        flat = flat * table.shape[i] + k
    return from_table(table.reshape(-1, *table.shape[len(keys) :]), flat)


def _indices(places: Any) -> Any:
    if isinstance(places, Traced):
        return places if places.dtype == np.int64 else places.astype(np.int64)
    return np.asarray(places, np.int64)
