"""int_mm: products of 8-bit operands and weights by `torch._int_mm`, int8 by int8 into int32.

What GPUs have for integers. A layer becomes one matrix product: its operand as rows, one per place
of the output, with every value that place reads. Operands that int8 does not hold are moved,
`w * x = w * (x - m) + w * m`, or come as two bytes, `x = 256 * h + (l + 128)`; what that adds per
channel is put right behind the sums. Padding is done before, on the operand's own zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation import gemm
from qflow.emulation.carriers.onednn import Geometry
from qflow.emulation.carriers.rows import Rows
from qflow.emulation.op import Call, Fast, Range

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.carriers.finish import Finish

INT8, INT16 = (-128, 127), (-32768, 32767)
BYTE = 255
INT32 = (1 << 31) - 1
MOVED = 128
"""What is taken from the lower byte of an operand, 0 to 255, to make it int8."""
LEAST_ROWS, LEAST_WIDTH, STEP = 32, 16, 8
"""cuBLAS takes more than 16 rows, and whole steps of both other sizes."""
ALIGNED = 16
"""Bytes: a part of a larger tensor may begin anywhere, and not every kernel takes that."""
MOST_COPIED = 1 << 28
"""Bytes of rows that are made at once."""
TESTED = 64
"""Rows of extremes and of random values that a kernel meets before it is used."""


@dataclass(frozen=True)
class Parts:
    """How an operand is handed over: as it is, moved, or in two bytes."""

    moved: int = 0
    in_bytes: bool = False

    @property
    def name(self) -> str:
        how = " twice" if self.in_bytes else " moved" if self.moved else ""
        return f"int8 (_int_mm){how}"

    def bring(self, x: Tensor) -> tuple[Tensor, ...]:
        """Integers in any dtype to int8: one tensor, or the upper and the lower byte."""
        import torch

        if x.dtype == torch.int8 and not self.moved and not self.in_bytes:
            return (x,)
        wide = x.to(torch.int16)  # holds every operand there is `parts` for
        if self.in_bytes:
            return (wide >> 8).to(torch.int8), ((wide & BYTE) - MOVED).to(torch.int8)
        return ((wide - self.moved if self.moved else wide).to(torch.int8),)

    def largest(self, values: Range) -> int:
        """Largest magnitude of what is handed over."""
        if self.in_bytes:
            return MOVED
        return gemm.reach((values[0] - self.moved, values[1] - self.moved))

    def join(self, sums: Sequence[Tensor]) -> Tensor:
        """Sums per part, int32, to the sums but for a constant per channel; float64 of two."""
        if not self.in_bytes:
            return sums[0]
        upper, lower = sums
        return upper.double().mul_(BYTE + 1).add_(lower)

    @property
    def constant(self) -> int:
        """What is missing from every operand in `join`."""
        return MOVED if self.in_bytes else self.moved


def parts(values: Range) -> Parts | None:
    """How operands within `values` are handed over, or None where 16 bits do not hold them."""
    low, high = values
    if INT8[0] <= low and high <= INT8[1]:
        return Parts()
    if high - low <= BYTE:
        return Parts(moved=low - INT8[0])
    return Parts(in_bytes=True) if INT16[0] <= low and high <= INT16[1] else None


def is_chosen(device: str, weight_dtype: str, groups: int) -> bool:
    """Whether a layer is tried on this carrier: on CUDA always, where nothing is grouped.

    There float32 products may be made in a narrower format, so what is left is float64, which
    most GPUs have few units for. On the CPU `carriers.int8` is faster.
    """
    return device == "cuda" and weight_dtype == "int8" and groups == 1


def int_mm(
    call: Call, ranges: Sequence[Range], device: Any, geometry: Geometry, finish: Finish
) -> Fast | None:
    """The layer on images of centred integers, or None where it cannot run so exactly.

    `ranges` are those of the operands without their zero points. On any device that has the kernel;
    whether it pays there is for `is_chosen` to say.
    """
    import torch

    weight = call.constants["weight"]
    values = min(ranges[0][0], 0), max(ranges[0][1], 0)  # padding adds zeros
    fed = parts(values)
    if weight.dtype != np.int8 or geometry.groups != 1 or fed is None:
        return None
    bias = call.constants["bias"].astype(np.int64)
    largest = gemm.bound(weight, np.zeros_like(bias), fed.largest(values))
    if largest > INT32:
        return None
    rows = Rows(geometry, weight.shape[2:])
    multiply = _multiply(rows.taps(weight), device)
    if not is_exact(multiply, rows.taps(weight), device):
        return None
    most = gemm.bound(weight, bias, gemm.reach(values))
    # what moving the operand took away is a constant per channel
    missing = bias + fed.constant * weight.reshape(len(weight), -1).astype(np.int64).sum(1)
    narrow = max(most, largest, np.abs(missing).max()) < 1 << gemm.FLOAT32_BITS
    offset = torch.from_numpy(missing).to(device, torch.float32 if narrow else torch.float64)

    def sums(x: Tensor) -> Tensor:
        found = fed.join([multiply(rows.of(part)) for part in fed.bring(x)])
        return rows.images(found + offset, x)

    end = finish(None, most)
    why = f"sums of int8 products reach {largest:,}: int32 holds them"

    def run(x: Tensor, *added: Tensor) -> Tensor:
        padded = rows.padded(x)
        found = [sums(x) for x in padded.split(max(1, MOST_COPIED // rows.width(padded)))]
        return end(torch.cat(found) if len(found) > 1 else found[0], *added)

    return Fast(run, fed.name, most, why)


def _multiply(taps: np.ndarray, device: Any) -> Callable[[Tensor], Tensor]:
    """Rows int8 [places, width] to int32 [places, out]; taps int8 [out, width]."""
    import torch
    from torch.nn.functional import pad

    out, width = taps.shape
    whole = max(width + -width % STEP, LEAST_WIDTH)
    filled = np.pad(taps, [(0, -out % STEP), (0, whole - width)])
    # the second operand's columns lie together in memory, as the kernels want them
    columns = torch.from_numpy(filled).to(device).t()

    def multiply(rows: Tensor) -> Tensor:
        count = rows.shape[0]
        more = max(count + -count % STEP, LEAST_ROWS) - count
        if more or whole != width:
            rows = pad(rows, (0, whole - width, 0, more))
        rows = rows.contiguous()
        if rows.storage_offset() % ALIGNED:
            rows = rows.clone()
        found: Tensor = torch._int_mm(rows, columns)
        return found[:count, :out]

    return multiply


def is_exact(multiply: Callable[[Tensor], Tensor], taps: np.ndarray, device: Any) -> bool:
    """Whether the kernel is there and gives the sums of int64 on rows likely to show it wrong."""
    import torch

    random = np.random.default_rng(0)
    width = taps.shape[1]
    rows = random.integers(*INT8, (TESTED, width), np.int8, endpoint=True)
    rows[:2] = np.array(INT8, np.int8)[:, None]
    some = taps[random.permutation(len(taps))[: TESTED // 4]]
    signs = np.where(some > 0, *np.array(INT8, np.int8)[::-1])
    rows[2 : 2 + len(some)], rows[2 + len(some) : 2 + 2 * len(some)] = signs, ~signs
    try:
        found = multiply(torch.from_numpy(rows).to(device)).cpu().numpy()
    except RuntimeError:  # this device has no such kernel
        return False
    # float64 sums of 8-bit products are exact, and fast
    return bool(np.array_equal(found, rows.astype(np.float64) @ taps.T.astype(np.float64)))
