"""sizes: functions of ONNX that make numbers: constants, shapes, other dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from qflow.frontends.aten import Unknown
from qflow.frontends.onnx_graph import Reader
from qflow.frontends.onnx_values import Constant, Node, Sizes

_LARGEST = 1 << 24
"""Values a constant may be made of: a small file must not fill the memory."""


def _constant(_: Reader, node: Node) -> Constant:
    for name, value in node.attributes.items():
        if name == "value":
            return Constant(node.outputs[0], value)
        if name in ("value_int", "value_ints"):
            return Constant(node.outputs[0], np.array(value, dtype=np.int64))
        if name in ("value_float", "value_floats"):
            return Constant(node.outputs[0], np.array(value, dtype=np.float32))
    raise Unknown("is a constant of no numbers")


def _filled(read: Reader, node: Node) -> Constant:
    sizes = read.numbers(node, 0)
    if not all(isinstance(n, int) and n >= 0 for n in sizes) or np.prod(sizes) > _LARGEST:
        raise Unknown("makes a constant of a computed shape, or too large a one")
    value = node.attributes.get("value", np.zeros(1, np.float32))
    return Constant(node.outputs[0], np.full(sizes, value.reshape(-1)[0], value.dtype))


def _range(read: Reader, node: Node) -> Constant:
    start, stop, step = (read.constant(node, i).reshape(-1)[0] for i in range(3))
    if not step or abs((stop - start) / step) > _LARGEST:
        raise Unknown("makes too long a range")
    return Constant(node.outputs[0], np.arange(start, stop, step))


def _shape(read: Reader, node: Node) -> Any:
    found = read.known(node, 0)
    first = node.attributes.get("start", 0)
    last = node.attributes.get("end")
    if isinstance(found, Constant):
        return Constant(node.outputs[0], np.array(found.array.shape[first:last], np.int64))
    shape = read.shape(node, 0)
    if shape is None:
        raise Unknown("asks for a shape whose length the file does not tell")
    x = read.tensor(node, 0)
    every = [n if n is not None else i for i, n in enumerate(shape)]
    free = {i for i, n in enumerate(shape) if n is None}
    items = [
        read.add("size", x, i, method=True) if i in free else n
        for i, n in list(enumerate(every))[first:last]
    ]
    return Sizes(tuple(items))


_DTYPES = {
    1: (torch.float32, np.float32),
    2: (torch.uint8, np.uint8),
    3: (torch.int8, np.int8),
    6: (torch.int32, np.int32),
    7: (torch.int64, np.int64),
    9: (torch.bool, np.bool_),
    10: (torch.float16, np.float16),
    11: (torch.float64, np.float64),
}
"""The numbers ONNX has for dtypes."""


def _cast(read: Reader, node: Node) -> Any:
    dtype = _DTYPES.get(node.attributes["to"])
    if dtype is None:
        raise Unknown(f"converts to the dtype {node.attributes['to']}")
    found = read.known(node, 0)
    if isinstance(found, Sizes):
        return found
    if isinstance(found, Constant):
        return Constant(node.outputs[0], found.array.astype(dtype[1]))
    return read.add("to", found, dtype[0], method=True)


def _identity(read: Reader, node: Node) -> Any:
    return read.known(node, 0)


def _quantized(_: Reader, __: Node) -> Any:
    raise Unknown("is of a quantized model: give the float model it was made of")


OPS: dict[str, Callable[[Reader, Node], Any]] = {
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Range": _range,
    "Shape": _shape,
    "Cast": _cast,
    "Identity": _identity,
    **dict.fromkeys(
        ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger"), _quantized
    ),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "MatMulInteger"), _quantized),
}
