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

- TOSA: convolutions of groups with several channels; averages of windows that count different
  numbers of values, to another grid, and of int16 any to another grid; slices with steps, paddings
  that repeat values; topk, grid_sample, floor and ceil of integers, quotients of two tensors,
  softmax, normalizations and attention, which converters make of several operators of their own;
  unsigned grids. Accumulators of int16 have 48 bits there, which RESCALE takes with multipliers of
  16 bits only: the rows bring them to int32 by one, then rescale. A table of int16 has 513
  entries, which is what a march with `table_segments = 512` gives; functions that are not listed at
  int16 have smaller or larger ones.
- onnxruntime: every operator of int16. Transposed convolutions, means and sums along axes are sums
  of floats in the runtime's own order: they have rows for powers of two, where any order is exact.
  Signed activations have weights of 64 at most in the rows of any bias: its optimizer makes larger
  ones unsigned on machines without VNNI, for which it then has no kernel. Where a softmax of int8
  would exceed 127 it wraps around, and the profile saturates.
- ONNX: products and averages have rows for powers of two, for the same reason. Functions of int16
  and softmax are left out: they are floats there. Its reference evaluator casts infinities to the
  lowest integer (atanh, reciprocal, rsqrt), and its log and selu differ from onnxruntime's in the
  last bit of a float: those have rows of onnxruntime alone.
- Of both, because the profiles differ on ties: mish (20 of 102,400 values), prelu (23 of 40,960) and
  quotients of two tensors (1,122 of 262,144). They are floats there, rounded after every step.
  Bilinear images have rows for powers of two: others are sums of floats in an order of the
  runtime's own. Operators that only move values are copies there and have no rows.
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
- `mul15` and `shift` have no public runtime: fractions of Python stand for it, for the rescale and
  for every kind of operator that uses it.
"""


def main() -> None:
    table = markdown(collect())
    write(PAGE, HEAD + table + WITHOUT)
    print(table)


if __name__ == "__main__":
    main()
