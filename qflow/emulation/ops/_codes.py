"""Numbers of a model as integers of a grid: what is padded with, filled in, or compared to."""

from __future__ import annotations

from math import isnan

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import Builder, holds_whole_numbers, scale
from qflow.emulation.graph import TensorType
from qflow.emulation.op import Constant, Unsupported
from qflow.emulation.rounding import to_grid
from qflow.quantization.prepared import PreparedNode

ONE = ((1,),)
"""Shape of a constant that holds one of them."""


def code(value: float, type: TensorType, node: PreparedNode, build: Builder) -> int:
    """The integer that stands for `value`: its grid's end where it lies outside, infinities too.

    Of whole numbers it is the number. Raises Unsupported for NaN and for a fraction among them.
    """
    if isnan(value):
        raise Unsupported("its number is NaN: an integer grid has no place for it")
    if type.scale is None:
        if value != round(value):
            raise Unsupported(f"{value} is no whole number, as the values it stands among are")
        return int(np.clip(round(value), -(1 << 31), (1 << 31) - 1))
    if type.scale.size != 1:
        raise Unsupported("its operand has a scale per channel")
    dtype, zero = DTYPES[type.dtype], type.zero_point
    rounding = build.rounding(node, node.grid)
    real = np.array([np.clip(value, -LARGEST, LARGEST)], np.float32)
    found = to_grid(real, scale(type), rounding, dtype.qmin - zero, dtype.qmax - zero)
    return int(found[0]) + zero


def mask(node: PreparedNode, build: Builder, index: int) -> str:
    """Id of an operand that holds a mask. Raises Unsupported for anything but whole numbers."""
    name = node.inputs[index]
    if not holds_whole_numbers(build.types[name]):
        raise Unsupported(f"its mask `{name}` is {build.types[name].dtype}, no truth values")
    return name


LARGEST = float(np.finfo(np.float32).max)


def constant(value: int, type: TensorType) -> np.ndarray:
    """The integer as a node keeps it."""
    return np.array([value], type.dtype)


def role(type: TensorType) -> Constant:
    """What the constant must be, for an output of that type."""
    return Constant((type.dtype,), ONE)
