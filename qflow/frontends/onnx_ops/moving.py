"""moving: functions of ONNX that bring values to other places and change none.

On tensors of the file they are done at once, on sizes they are lists.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from qflow.frontends.aten import Unknown
from qflow.frontends.aten_special import at_dim
from qflow.frontends.imported import Value
from qflow.frontends.onnx_graph import Reader
from qflow.frontends.onnx_values import Constant, Node, Sizes

Operator = Callable[[Reader, Node], Any]
_LAST = 2**31


def _reshape(read: Reader, node: Node) -> Any:
    sizes = read.numbers(node, 1)
    found = read.known(node, 0)
    if isinstance(found, Sizes):
        return found
    if not node.attributes.get("allowzero", 0):
        sizes = [_kept(read, node, i) if s == 0 else s for i, s in enumerate(sizes)]
    if isinstance(found, Constant):
        return Constant(node.outputs[0], found.array.reshape([int(s) for s in sizes]))
    return read.add(torch.reshape, found, tuple(sizes))


def _kept(read: Reader, node: Node, dim: int) -> Any:
    """0 stands for the size that is there."""
    shape = read.shape(node, 0)
    if shape is not None and dim < len(shape) and shape[dim] is not None:
        return shape[dim]
    return read.add("size", read.tensor(node, 0), dim, method=True)


def _flatten(read: Reader, node: Node) -> Value:
    axis = node.attributes.get("axis", 1)
    if axis == 1:
        return read.add(torch.flatten, read.tensor(node, 0), start_dim=1)
    shape = read.shape(node, 0)
    axis = axis + len(shape) if axis < 0 and shape is not None else axis
    if shape is None or any(n is None for n in shape[axis:]):
        raise Unknown("flattens a shape that the file does not tell")
    return read.add(
        torch.reshape, read.tensor(node, 0), (-1, int(np.prod([n or 0 for n in shape[axis:]])))
    )


def _transpose(read: Reader, node: Node) -> Any:
    found = read.known(node, 0)
    perm = node.attributes.get("perm")
    if isinstance(found, Constant):
        array = np.ascontiguousarray(found.array.transpose(perm))
        return Constant(
            node.outputs[0], array, found if array.ndim == 2 and perm != [0, 1] else None
        )
    order = tuple(perm) if perm else tuple(reversed(range(read.rank(node))))
    return read.add(torch.permute, read.tensor(node, 0), order)


def _concat(read: Reader, node: Node) -> Any:
    axis = node.attributes["axis"]
    parts = [read.known(node, i) for i in range(len(node.inputs))]
    if all(isinstance(p, Constant) for p in parts):
        arrays = [p.array for p in parts if isinstance(p, Constant)]
        return Constant(node.outputs[0], np.concatenate(arrays, axis))
    if any(isinstance(p, Sizes) for p in parts):
        return Sizes(tuple(n for i in range(len(parts)) for n in read.numbers(node, i)))
    tensors = [read.tensor(node, i) for i in range(len(node.inputs))]
    return read.add(torch.cat, tensors, axis)


def _split(read: Reader, node: Node) -> tuple[Value, ...]:
    axis = node.attributes.get("axis", 0)
    sizes = node.attributes.get("split")
    if sizes is None and read.given(node, 1):
        sizes = read.numbers(node, 1)
    if sizes is None:
        shape = read.shape(node, 0)
        size = shape[axis] if shape is not None else None
        if size is None:
            # equal parts, whatever the size
            found = read.add(torch.chunk, read.tensor(node, 0), len(node.outputs), axis)
            return tuple(read.add(operator.getitem, found, i) for i in range(len(node.outputs)))
        each = -(-size // node.attributes.get("num_outputs", len(node.outputs)))
        sizes = [each] * (len(node.outputs) - 1)
        sizes.append(size - sum(sizes))
    whole: Any = sizes[0] if len(set(sizes)) == 1 else list(sizes)
    found = read.add(torch.split, read.tensor(node, 0), whole, axis)
    return tuple(read.add(operator.getitem, found, i) for i in range(len(node.outputs)))


def _slice(read: Reader, node: Node) -> Any:
    if read.opset < 10:
        starts, ends = node.attributes["starts"], node.attributes["ends"]
        axes, steps = node.attributes.get("axes"), None
    else:
        starts, ends = read.numbers(node, 1), read.numbers(node, 2)
        axes = read.numbers(node, 3) if read.given(node, 3) else None
        steps = read.numbers(node, 4) if read.given(node, 4) else None
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    value = read.known(node, 0)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if isinstance(value, Constant) and step < 0:
            value = Constant(node.outputs[0], _backwards(value.array, start, end, axis, step))
            continue
        part = _part(start, end, step)
        if part == slice(None):
            continue
        if isinstance(value, Sizes):
            value = Sizes(value.items[part])
        elif isinstance(value, Constant):
            index = (slice(None),) * (axis % value.array.ndim) + (part,)
            value = Constant(node.outputs[0], value.array[index])
        else:
            value = read.add(operator.getitem, value, at_dim(axis, part))
    return value


def _backwards(array: np.ndarray, start: int, end: int, axis: int, step: int) -> np.ndarray:
    """Ends before the first value are written as numbers that no array reaches."""
    first = None if start >= _LAST - 1 else start
    last = None if end <= -_LAST + 1 or end < -array.shape[axis] else end
    index = (slice(None),) * (axis % array.ndim) + (slice(first, last, step),)
    return np.ascontiguousarray(array[index])


def _part(start: Any, end: Any, step: Any) -> slice:
    if isinstance(step, int) and step < 1:
        raise Unknown("goes backwards")
    first = None if isinstance(start, int) and start == 0 else start
    last = None if isinstance(end, int) and end >= _LAST - 1 else end
    return slice(first, last, None if step == 1 else step)


def _gather(read: Reader, node: Node) -> Any:
    value, index = read.known(node, 0), read.known(node, 1)
    axis = node.attributes.get("axis", 0)
    if isinstance(index, Constant):
        if isinstance(value, Sizes):
            items = tuple(value.items[int(i)] for i in index.array.reshape(-1))
            return Sizes(items, index.array.ndim == 0)
        if isinstance(value, Constant):
            return Constant(node.outputs[0], np.take(value.array, index.array, axis))
        if index.array.ndim == 0:
            return read.add(torch.select, value, axis, int(index.array))
    if isinstance(value, Constant) and value.array.ndim == 2 and axis == 0:
        return read.add(functional.embedding, read.tensor(node, 1), weight=read.held(value))
    if isinstance(index, Constant) and index.array.ndim == 1:
        return read.add(torch.index_select, read.tensor(node, 0), axis, read.held(index))
    raise Unknown("picks values by computed places")


def _squeezed(function: Any, array: Any) -> Operator:
    def add(read: Reader, node: Node) -> Any:
        axes = node.attributes.get("axes")
        if axes is None and read.given(node, 1):
            axes = read.numbers(node, 1)
        value = read.known(node, 0)
        if isinstance(value, Sizes):
            return Sizes(value.items, function is torch.squeeze)
        if axes is None:
            raise Unknown("takes away every dimension of 1")
        if isinstance(value, Constant):
            return Constant(node.outputs[0], array(value.array, tuple(axes)))
        # from the back, so that the places of the others stay; torch adds one at a time
        order = sorted(axes) if function is torch.unsqueeze else sorted(axes, reverse=True)
        for axis in order:
            value = read.add(function, value, axis)
        return value

    return add


def _expand(read: Reader, node: Node) -> Any:
    sizes = [-1 if n == 1 else n for n in read.numbers(node, 1)]
    shape = read.shape(node, 0)
    if shape is not None and len(sizes) <= len(shape) and set(sizes) <= {-1}:
        return read.tensor(node, 0)
    return read.add("expand", read.tensor(node, 0), *sizes, method=True)


def _tile(read: Reader, node: Node) -> Value:
    return read.add("repeat", read.tensor(node, 0), *read.numbers(node, 1), method=True)


def _pad(read: Reader, node: Node) -> Value:
    sizes = read.numbers(node, 1) if read.opset >= 11 else node.attributes["pads"]
    if read.given(node, 3) or not all(isinstance(n, int) for n in sizes):
        raise Unknown("pads chosen dimensions, or by computed sizes")
    half = len(sizes) // 2
    pairs = list(zip(sizes[:half], sizes[half:], strict=True))
    while pairs and pairs[0] == (0, 0):
        pairs.pop(0)
    flat = tuple(n for pair in reversed(pairs) for n in pair)
    mode = node.attributes.get("mode", "constant")
    x = read.tensor(node, 0)
    if mode == "constant":
        fill = read.operand(node, 2) if read.given(node, 2) else node.attributes.get("value", 0)
        return read.add(functional.pad, x, flat, **({"value": float(fill)} if fill else {}))
    torch_mode = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}[mode]
    return read.add(functional.pad, x, flat, mode=torch_mode)


OPS: dict[str, Operator] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "Squeeze": _squeezed(torch.squeeze, np.squeeze),
    "Unsqueeze": _squeezed(torch.unsqueeze, np.expand_dims),
    "Expand": _expand,
    "Tile": _tile,
    "Pad": _pad,
}
