"""frame: how a compiled loop gets its arguments, and its share of the work.

A frame is a row of int64, two words per argument: address and number of values of an array, or an
integer and 0. A loop is a function of the frame's address; it reads its arguments by their place
with `bytes_at` and so on, and works on what `share` gives its thread. Nothing is checked inside:
who calls it passes contiguous arrays of the dtypes it reads, and indexes that fit.

Numba makes int64 of every sum of smaller integers. Half as many of those fit a vector, and some
operations on them none; so loops cast each step back where it matters.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numba import carray, cfunc, njit, types
from numba.extending import intrinsic

from qflow.loops import team

if TYPE_CHECKING:
    from torch import Tensor

    Argument = Tensor | np.ndarray | int

FRAME = types.CPointer(types.int64)
_thread = types.ExternalFunction(team.THREAD, types.int32())
_threads = types.ExternalFunction(team.THREADS, types.int32())
_barrier = types.ExternalFunction(team.BARRIER, types.void())


class Loop:
    """`loop(work, *arguments)` runs the function on every thread of the team, once each."""

    def __init__(self, function: Callable[[Any], None]) -> None:
        self._function = function

    @cached_property
    def _compiled(self) -> Any:
        team.launcher()  # the code refers to its symbols
        options = {"nopython": True, "error_model": "numpy"}
        try:
            return cfunc(types.void(FRAME), cache=True, **options)(self._function)
        except RuntimeError:  # no folder that Numba may write its cache to
            return cfunc(types.void(FRAME), **options)(self._function)

    def __call__(self, work: int, *arguments: Argument) -> None:
        """`work`: how many values there are, which says whether threads are worth it."""
        words: list[int] = []
        for argument in arguments:
            words += _words(argument)
        frame = (ctypes.c_int64 * len(words))(*words)
        team.launcher()(self._compiled.address, ctypes.addressof(frame), team.size(work))


def _words(argument: Any) -> tuple[int, int]:
    if isinstance(argument, int):
        return argument, 0
    if isinstance(argument, np.ndarray):
        return argument.__array_interface__["data"][0], argument.size
    return argument.data_ptr(), argument.numel()


@intrinsic
def _pointer(typing: Any, address: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        void = context.get_value_type(types.voidptr)
        return builder.inttoptr(arguments[0], void)

    return types.voidptr(types.int64), build


@njit(inline="always")
def bytes_at(frame, place):
    return carray(_pointer(frame[2 * place]), frame[2 * place + 1], np.uint8)


@njit(inline="always")
def int32_at(frame, place):
    return carray(_pointer(frame[2 * place]), frame[2 * place + 1], np.int32)


@njit(inline="always")
def int64_at(frame, place):
    return carray(_pointer(frame[2 * place]), frame[2 * place + 1], np.int64)


@njit(inline="always")
def float32_at(frame, place):
    return carray(_pointer(frame[2 * place]), frame[2 * place + 1], np.float32)


@njit(inline="always")
def float64_at(frame, place):
    return carray(_pointer(frame[2 * place]), frame[2 * place + 1], np.float64)


@njit(inline="always")
def integer_at(frame, place):
    return frame[2 * place]


@njit(inline="always")
def thread():
    """This thread's number, from 0."""
    return np.int64(_thread())


@njit(inline="always")
def wait_for_all():
    """Go on once every thread has come here."""
    _barrier()


@njit(inline="always")
def share(count):
    """First and last but one of the `count` items that are this thread's."""
    threads = _threads()
    each = (count + threads - 1) // threads
    first = min(count, _thread() * each)
    return first, min(count, first + each)


def sign_of(dtype: torch.dtype) -> int:
    """What `value_of` needs to know of int8 or uint8."""
    return 128 if dtype == torch.int8 else 0


@njit(inline="always")
def value_of(byte, sign):
    """The integer a byte stands for, int32."""
    return np.int32(np.int32(byte ^ sign) - np.int32(sign))
