"""Writes docs/reference/conformance.md: `python -m tests.conformance`."""

from __future__ import annotations

from pathlib import Path

from qflow.atomic import write
from tests.conformance.table import collect, markdown

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "conformance.md"
HEAD = """# Conformance

Each row compares a rounding profile, its oracle and its fast path alike, with a runtime that nobody
here wrote, on single operators. Most of the accumulators lie next to a tie, or on one because every
scale is a power of two: uniform random ones would agree to 99 % whatever the rule. Written by
`python -m tests.conformance`; `make test` runs the same checks.

"""
WITHOUT = """
## What has no row

A runtime that computes an operator on floats, or not at all, says nothing about integers:

- TOSA: convolutions of groups with several channels; convolutions and products of int16, whose
  accumulators have 48 bits and take multipliers of 16 bits only; averages of windows that count
  different numbers of values, to another grid; softmax, leaky relu and whatever else it makes of
  several operators; unsigned grids. A table of int16 has 513 entries, which is what a march with
  `table_segments = 512` gives.
- onnxruntime: transposed convolutions, differences, quotients, means along axes, tanh and other
  functions; every operator of int16. Signed activations have weights of 64 at most here: its
  optimizer makes larger ones unsigned on machines without VNNI, for which it then has no kernel.
  Where a softmax of int8 would exceed 127 it wraps around, and the profile saturates.
- ONNX: products and averages have rows for powers of two, where sums of floats are exact; the order
  of a sum is the runtime's own. Functions of int16 and softmax are left out: they are floats there.
- LiteRT computes on floats, or has no operator for: convolutions of three axes, squares, powers,
  sines and cosines, floor and ceil, normalizations. silu, hard_sigmoid, mish, softplus, attention,
  roll and channel_shuffle are several operators there. argmax, clamp, elu, hard_swish and both
  pixel shuffles it has at int8 alone, and elu not among its reference kernels.
- LiteRT's reference kernel of sums leaves most of its result unwritten (2.3.0). MAXIMUM looks at no
  scale, nor does CONCATENATION of int16, and that of int8 refuses different ones: such operands go
  through a QUANTIZE before. It refuses divisors of zero and roots of negative numbers. Where gelu
  has the tanh form, a table of int16 has the last bits of the C library at hand. Unsigned grids are
  left out: of uint8 some operators compute on floats.
- Floats become integers, and integers floats, by the rounding of a march, which no profile changes.
- `mul15` and `shift` have no public runtime: their rescale is compared with fractions.
"""


def main() -> None:
    table = markdown(collect())
    write(PAGE, HEAD + table + WITHOUT)
    print(table)


if __name__ == "__main__":
    main()
