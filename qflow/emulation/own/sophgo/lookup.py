"""lookup: a table of 256 entries for what is a formula elsewhere: products with a number, abs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Range
from qflow.emulation.ops import _table as general
from qflow.emulation.own.sophgo import _table

if TYPE_CHECKING:
    from collections.abc import Callable

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Lookup(_table.Lookup):
    """No attributes. Only lowering makes it."""

    name = "lookup"
    role = "elementwise"
    any_layout = True

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return general.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return general.values(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return general.oracle(call, operands[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return general.fast(call, device)


def lower(node: PreparedNode, build: Builder, function: Callable[[np.ndarray], np.ndarray]) -> None:
    """Emit the table of `function`, float64 in and out."""
    Lookup().emit_table(node, build, "lookup", function)
