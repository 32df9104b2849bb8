"""tape: where what the oracle does is written down, as ONNX nodes and constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qflow.export._onnx.builder import Builder
from qflow.export._onnx_integer.traced import Ends, Traced

WHOLE = np.dtype(np.int64)


@dataclass
class Tape:
    builder: Builder = field(default_factory=Builder)
    at: str = ""
    """Id of the node that is being traced: what its nodes are named after."""
    _constants: dict[tuple[str, tuple[int, ...], bytes], str] = field(default_factory=dict)

    def node(
        self,
        op: str,
        inputs: Sequence[Any],
        dtype: Any,
        shape: Sequence[int],
        ends: Ends | None = None,
        **attributes: Any,
    ) -> Traced:
        """Append a node; inputs are traced values, arrays, or None for one that is left out."""
        names = ["" if x is None else self.named(x) for x in inputs]
        name = self.builder.step(op, names, f"{self.at}/{op.lower()}", **attributes)
        return Traced(self, name, np.dtype(dtype), tuple(int(n) for n in shape), ends)

    def named(self, value: Any) -> str:
        """The tensor's name; an array becomes a constant, stored once."""
        return value.name if isinstance(value, Traced) else self.constant(np.asarray(value))

    def constant(self, array: np.ndarray) -> str:
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            what = str(array.item()) if array.ndim == 0 else "x".join(map(str, array.shape))
            self._constants[key] = self.builder.constant(
                self.builder_name(f"const/{array.dtype.name}/{what}"), array
            )
        return self._constants[key]

    def value(self, array: np.ndarray) -> Traced:
        """A constant as a traced value."""
        return Traced(self, self.constant(array), array.dtype, array.shape, ends_of(array))

    def builder_name(self, wanted: str) -> str:
        """A name that no constant has yet."""
        found, count = wanted, 1
        while found in self.builder.constants or found in self.builder.taken:
            count += 1
            found = f"{wanted}/{count}"
        return found

    def cast(self, value: Traced, dtype: np.dtype[Any]) -> Traced:
        if value.dtype == dtype:
            return value
        ends = value.ends if dtype.kind in "iuf" and value.dtype.kind in "iu" else None
        if value.dtype.kind == "b":
            ends = (0, 1)
        return self.node("Cast", [value], dtype, value.shape, ends, to=dtype)


def ends_of(value: Any) -> Ends | None:
    """Smallest and largest value, where they are known; of arrays they are."""
    if isinstance(value, Traced):
        return value.ends
    array = np.asarray(value)
    if array.dtype.kind not in "iub" or not array.size:
        return None
    return int(array.min()), int(array.max())


def slim(operands: list[Any]) -> list[Any]:
    """Arrays without the axes along which they do not change, where another operand has them.

    So what a rule makes for every sample alike does not depend on the size of the batch.
    """
    whole = np.broadcast_shapes(*[np.shape(x) for x in operands])
    full = any(isinstance(x, Traced) and x.shape == whole for x in operands)
    return [_without(x) if full and isinstance(x, np.ndarray) else x for x in operands]


def _without(x: np.ndarray) -> np.ndarray:
    for axis in range(x.ndim):
        first = x.take([0], axis) if x.shape[axis] > 1 else x
        if first is not x and (x == first).all():
            x = first
    return x.reshape(()) if x.size == 1 else x
