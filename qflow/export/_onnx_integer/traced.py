"""traced: what stands for an array while an operator's oracle runs: a tensor of the ONNX graph.

It is used as an array is; every operation on it is written down as ONNX nodes that compute the same
to the bit. Only its shape and dtype are known, and where it can be told, the ends of its values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from qflow.export._onnx_integer.tape import Tape

Ends = tuple[int, int]
BFLOAT16 = 16
"""Its number in ONNX; NumPy has no such dtype."""


class Untraceable(Exception):
    """An operation that has no ONNX form here; the text says which. Becomes QF502."""


@dataclass(frozen=True, eq=False)
class Traced:
    tape: Tape
    name: str
    """Of the tensor in the ONNX graph."""
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    ends: Ends | None = None
    """Of whole numbers: the smallest and the largest there can be."""
    absent: bool = False
    """Of truth values: that a value which is not a number is there; inputs have none."""

    __array_priority__ = 1000.0

    # --- what an array is ------------------------------------------------------------------------

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def T(self) -> Traced:
        return self.transpose()

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Traced]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.absent:
            return False
        raise Untraceable("it decides by values what to do")

    def __int__(self) -> int:
        raise Untraceable("it needs a value as a number")

    __float__ = __index__ = __int__

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise Untraceable("it needs the values themselves")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from qflow.export._onnx_integer import elementwise

        return elementwise.apply(self.tape, ufunc, method, inputs, kwargs)

    def __array_function__(
        self, function: Any, types: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        from qflow.export._onnx_integer import functions

        return functions.apply(self.tape, function, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)  # NumPy asks for what is not there
        raise Untraceable(f"`numpy.ndarray.{name}` has no form here")

    def __getitem__(self, key: Any) -> Traced:
        from qflow.export._onnx_integer import places

        return places.taken(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise Untraceable("it writes into an array")

    # --- methods of arrays -----------------------------------------------------------------------

    def astype(self, dtype: Any, **_: Any) -> Traced:
        return self.tape.cast(self, np.dtype(dtype))

    def copy(self) -> Traced:
        return self

    def reshape(self, *shape: Any, **_: Any) -> Traced:
        from qflow.export._onnx_integer import forms

        wanted = (
            shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)) else shape
        )
        return forms.reshape(self, tuple(wanted))

    def ravel(self) -> Traced:
        return self.reshape(-1)

    flatten = ravel

    def transpose(self, *dims: Any) -> Traced:
        from qflow.export._onnx_integer import forms

        if not dims or dims[0] is None:
            return forms.transpose(self, tuple(reversed(range(self.ndim))))
        return forms.transpose(self, tuple(dims[0] if isinstance(dims[0], (tuple, list)) else dims))

    def swapaxes(self, one: int, other: int) -> Traced:
        return np.swapaxes(self, one, other)  # type: ignore[return-value]

    def squeeze(self, axis: Any = None) -> Traced:
        return np.squeeze(self, axis)  # type: ignore[return-value]

    def clip(self, low: Any = None, high: Any = None) -> Traced:
        return np.clip(self, low, high)  # type: ignore[return-value]

    def repeat(self, count: Any, axis: int | None = None) -> Traced:
        return np.repeat(self, count, axis)  # type: ignore[return-value]

    def sum(self, axis: Any = None, keepdims: bool = False, **_: Any) -> Traced:
        return self._reduced("sum", axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Traced:
        return self._reduced("max", axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Traced:
        return self._reduced("min", axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Traced:
        return self._reduced("mean", axis, keepdims)

    def var(self, axis: Any = None, keepdims: bool = False) -> Traced:
        off = self - self.mean(axis, keepdims=True)
        return (off * off).mean(axis, keepdims)  # type: ignore[no-any-return]

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        if self.absent and axis is None:
            return False
        return self._reduced("any", axis, keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Traced:
        return self._reduced("all", axis, keepdims)

    def argmax(self, axis: Any = None) -> Traced:
        return np.argmax(self, axis)  # type: ignore[return-value]

    def cumsum(self, axis: Any = None) -> Traced:
        return np.cumsum(self, axis)  # type: ignore[return-value]

    def _reduced(self, how: str, axis: Any, keepdims: bool) -> Traced:
        from qflow.export._onnx_integer import reductions

        return reductions.reduced(self, how, axis, keepdims)

    def bf16_nearest(self) -> Traced:
        """float32 with the precision of bfloat16, halves to even."""
        short = self.tape.node(
            "Cast", [self.astype(np.float32)], np.float32, self.shape, to=BFLOAT16
        )
        return self.tape.node("Cast", [short], np.float32, self.shape, to=np.dtype(np.float32))

    def convolved(self, weight: np.ndarray, attributes: Mapping[str, Any]) -> Traced:
        """The plain sums of a convolution."""
        from qflow.export._onnx_integer import products

        return products.convolved(self, weight, attributes)

    # --- operators -------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        return np.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return np.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return np.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return np.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return np.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return np.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return np.true_divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return np.true_divide(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return np.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return np.floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        return np.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return np.remainder(other, self)

    def __divmod__(self, other: Any) -> Any:
        return np.floor_divide(self, other), np.remainder(self, other)

    def __pow__(self, other: Any) -> Any:
        return np.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return np.power(other, self)

    def __lshift__(self, other: Any) -> Any:
        return np.left_shift(self, other)

    def __rlshift__(self, other: Any) -> Any:
        return np.left_shift(other, self)

    def __rshift__(self, other: Any) -> Any:
        return np.right_shift(self, other)

    def __rrshift__(self, other: Any) -> Any:
        return np.right_shift(other, self)

    def __and__(self, other: Any) -> Any:
        return np.bitwise_and(self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        return np.bitwise_or(self, other)

    __ror__ = __or__

    def __xor__(self, other: Any) -> Any:
        return np.bitwise_xor(self, other)

    __rxor__ = __xor__

    def __matmul__(self, other: Any) -> Any:
        return np.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return np.matmul(other, self)

    def __neg__(self) -> Any:
        return np.negative(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return np.absolute(self)

    def __invert__(self) -> Any:
        return np.invert(self)

    def __eq__(self, other: Any) -> Any:
        return np.equal(self, other)

    def __ne__(self, other: Any) -> Any:
        return np.not_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return np.less(self, other)

    def __le__(self, other: Any) -> Any:
        return np.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return np.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return np.greater_equal(self, other)
