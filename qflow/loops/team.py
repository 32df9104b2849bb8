"""team: a compiled function on the threads that torch's own operators run on.

A second pool of threads would fight torch's for the cores: those of OpenMP keep spinning for a
while after their work. So the function is handed to the OpenMP runtime that torch was linked to,
by the entry point compilers use for `#pragma omp parallel`. Where that is not GNU's (or LLVM's,
which has the same entry), it runs on one thread.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

LIBRARIES = ("libtorch_cpu.so", "libtorch_cpu.dylib", "torch_cpu.dll")
THREAD, THREADS, BARRIER = "qflow_thread", "qflow_threads", "qflow_barrier"
"""Symbols under which compiled code finds its place in the team, and waits for the others."""
LEAST_WORK = 1 << 14
"""Of fewer values one thread is done before the others have started."""
Address = int


@cache
def launcher() -> Callable[[Address, Address, int], None]:
    """What runs a function `void (*)(int64_t *frame)` on so many threads at once, each with the
    same frame, and comes back when all are done."""
    import llvmlite.binding as llvm

    runtime = _openmp()
    if runtime is None:
        for name, value in ((THREAD, 0), (THREADS, 1), (BARRIER, 0)):
            llvm.add_symbol(name, _kept(_constant(value)))
        return _alone
    for name, function in (
        (THREAD, runtime.omp_get_thread_num),
        (THREADS, runtime.omp_get_num_threads),
        (BARRIER, runtime.GOMP_barrier),
    ):
        llvm.add_symbol(name, ctypes.cast(function, ctypes.c_void_p).value)
    parallel = runtime.GOMP_parallel
    parallel.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    parallel.restype = None
    return lambda function, frame, threads: parallel(function, frame, threads, 0)


def _openmp() -> ctypes.CDLL | None:
    """torch's library, through which the symbols of its OpenMP runtime are found."""
    import torch

    folder = Path(torch.__file__).parent / "lib"
    for name in LIBRARIES:
        if (folder / name).exists():
            library = ctypes.CDLL(str(folder / name))
            names = ("GOMP_parallel", "GOMP_barrier", "omp_get_thread_num", "omp_get_num_threads")
            return library if all(hasattr(library, n) for n in names) else None
    return None


_FORKED: list[bool] = []
if hasattr(os, "register_at_fork"):
    # GNU's threads do not live on in a forked process, and it would wait for them
    os.register_at_fork(after_in_child=lambda: _FORKED.append(True))


def size(work: int) -> int:
    """How many threads so many values are shared out over: torch's or, in a forked process, one."""
    import torch

    return 1 if _FORKED or work < LEAST_WORK else torch.get_num_threads()


_Count = ctypes.CFUNCTYPE(ctypes.c_int)
_KEPT: list[ctypes._CFuncPtr] = []  # compiled code holds their addresses for good


def _constant(value: int) -> ctypes._CFuncPtr:
    return _Count(lambda: value)


def _kept(function: ctypes._CFuncPtr) -> Address:
    _KEPT.append(function)
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return address


def _alone(function: Address, frame: Address, threads: int) -> None:
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(function)(frame)
