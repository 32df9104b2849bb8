"""Functions of one value read from a table: an entry per byte, at int16 segments of a line.

8 bits: 256 entries, indexed by the byte as it lies in memory. 16 bits: a power of two of uniform
segments, an entry at each end, and between them

    y = entry[i] + (((entry[i + 1] - entry[i]) * rest + half) >> bits)

where q + 32768 = i * 2^bits + rest and half = 2^(bits - 1): half up, in 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic
from qflow.dtype import DTYPES
from qflow.emulation.builder import Builder, scale
from qflow.emulation.graph import TensorType
from qflow.emulation.op import Call, Constant, Fast, Range, Unsupported
from qflow.emulation.rounding import ROUNDINGS
from qflow.quantization.prepared import PreparedNode

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[[np.ndarray], np.ndarray]
"""float64 to float64, value by value."""
BYTES = 256
WORDS = 1 << 16
LOWEST_WORD = -(1 << 15)
FEWEST_SEGMENTS, MOST_SEGMENTS = 64, 8192
SEGMENTS = tuple(1 << n for n in range(6, 14))
INTERPOLATED: Mapping[str, float] = {"int8": 0.51, "int16": 1.3}
"""`within` of a function read from a table: an entry is rounded once; on a line between two of them
each end may be half a step away, and so may the point itself."""


@dataclass(frozen=True)
class _Entries:
    """How the function looks from one grid to another."""

    function: Function
    source: TensorType
    output: TensorType
    rounding: str
    low: int
    high: int

    def real(self, inputs: np.ndarray) -> np.ndarray:
        """The function of input integers, in output steps, zero point included."""
        step = scale(self.source).astype(np.float64)
        with np.errstate(all="ignore"):
            values = self.function((inputs - self.source.zero_point) * step)
            return values / scale(self.output).astype(np.float64) + self.output.zero_point

    def integers(self, real: np.ndarray) -> np.ndarray:
        """The nearest finite integers; the lowest where the function has no value."""
        whole = np.where(np.isnan(real), -np.inf, real)
        rounded = ROUNDINGS[self.rounding](np.clip(whole, self.low - 1, self.high + 1))
        return np.clip(rounded, self.low, self.high).astype(np.int64)


def lower(
    node: PreparedNode, build: Builder, op: str, function: Function, within: Mapping[str, float]
) -> None:
    """Emit a node `op` that reads `function` from a table.

    NaN and minus infinity become the lowest integer, infinity the highest. The table of int16 is
    the smallest that keeps the error stated, in segments that do not leave the output's grid;
    QF510 warns where the largest table of the march misses it.
    """
    source = build.operand(node, 0)
    output = build.output_type(node, source.shape, source.layout)
    clamp = build.clamp(node, output)
    rounding = build.rounding(node, node.grid)
    entries = _Entries(function, source, output, rounding, clamp["low"], clamp["high"])
    if source.dtype != "int16":
        table = entries.integers(entries.real(_of_bytes(source.dtype))).astype(output.dtype)
    else:
        if build.march.table_segments < FEWEST_SEGMENTS:
            raise Unsupported(f"{build.march.name} reads no function of int16 from a table")
        table = _segmented(node, build, entries, within["int16"])
    build.emit(node, op, node.inputs, output, {}, {"table": table})


def roles(call: Call) -> Mapping[str, Constant]:
    dtype = DTYPES[call.node.output.dtype]
    if len(call.sources) != 1:
        raise Unsupported("a table has one operand")
    if call.sources[0].dtype != "int16":
        return {"table": Constant((dtype.name,), ((BYTES,),))}
    shapes = tuple((n + 1,) for n in SEGMENTS)
    return {"table": Constant(("int16",), shapes, low=dtype.qmin, high=dtype.qmax)}


def values(call: Call) -> Range:
    """No point of a line lies beyond its ends."""
    table = call.constants["table"]
    return int(table.min()), int(table.max())


def oracle(call: Call, operand: np.ndarray) -> np.ndarray:
    table = call.constants["table"].astype(np.int64)
    if call.sources[0].dtype != "int16":
        return table[operand.astype(np.int64) & 255]
    return interpolated(table, operand.astype(np.int64))


def interpolated(table: np.ndarray, operand: np.ndarray) -> np.ndarray:
    """int64 of int64: the formula above."""
    bits = 16 - (len(table) - 1).bit_length() + 1
    place = operand - LOWEST_WORD
    index, rest = place >> bits, place & ((1 << bits) - 1)
    rise = (table[index + 1] - table[index]) * rest
    return table[index] + ((rise + (1 << (bits - 1))) >> bits)


def fast(call: Call, device: Any) -> Fast:
    import torch

    table = call.constants["table"]
    if call.sources[0].dtype != "int16":
        from qflow.emulation.runtimes._bytes import read

        return Fast(read(table, device))

    bits = 16 - (len(table) - 1).bit_length() + 1
    wide = torch.from_numpy(table.astype(np.int32)).to(device)
    start, rise = wide[:-1].contiguous(), wide[1:] - wide[:-1]

    def run(q: Tensor) -> Tensor:
        place = q.to(torch.int32) - LOWEST_WORD
        index = place >> bits
        found = _read(rise, index) * (place & ((1 << bits) - 1))
        return (found.add_(1 << (bits - 1)) >> bits).add_(_read(start, index)).float()

    return Fast(run)


def _read(entries: Tensor, index: Tensor) -> Tensor:
    return entries.index_select(0, index.reshape(-1)).reshape(index.shape)


def _of_bytes(dtype: str) -> np.ndarray:
    """The integer that each byte stands for."""
    return np.arange(BYTES, dtype=np.uint8).view(dtype).astype(np.int64)


def _segmented(node: PreparedNode, build: Builder, entries: _Entries, within: float) -> np.ndarray:
    """The smallest table that keeps the error, else the largest and a warning."""
    inputs = np.arange(WORDS + 1, dtype=np.int64) + LOWEST_WORD
    real = entries.real(inputs)
    ends = entries.integers(real)
    table, error = ends, np.zeros(1)
    for segments in (n for n in SEGMENTS if n <= min(build.march.table_segments, MOST_SEGMENTS)):
        length = WORDS // segments
        table = _held(ends[::length], np.isnan(real[::length]))
        error = np.abs(interpolated(table, inputs[:-1]) - real[:-1])
        error[~np.repeat(_inside(real[::length], entries), length)] = 0
        if error.max() <= within:
            return table.astype(np.int16)
    worst = int(error.argmax())
    step, zero = float(scale(entries.source)[0]), entries.source.zero_point
    share = float((error > within).mean())
    build.diagnostics.append(
        Diagnostic(
            "QF510",
            f"`{node.address}` ({node.op}): a table of {len(table) - 1} segments is off by up to "
            f"{float(error.max()):.3g} steps, at {(inputs[worst] - zero) * step:.4g}",
            notes=(f"{share:.2%} of the inputs of its grid are off by more than {within:g}",),
            help="run it at int8 or as floats, or keep its input away from there",
            severity="warning",
        )
    )
    return table.astype(np.int16)


def _held(table: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """An end without a value next to one that has it takes its entry, so that the curve goes on."""
    held = table.copy()
    after = missing[:-1] & ~missing[1:]
    before = missing[1:] & ~missing[:-1]
    held[:-1][after] = table[1:][after]
    held[1:][before] = table[:-1][before]
    return held


def _inside(real: np.ndarray, entries: _Entries) -> np.ndarray:
    """Per segment, whether the function has a value at both ends and the grid holds it.

    Where it leaves the grid the line ends in saturation: nothing can be said of it.
    """
    fine = (real >= entries.low) & (real <= entries.high)
    return fine[:-1] & fine[1:]
