"""pow: to a number, a table of 256 entries, made in float64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.ops import pow as general
from qflow.emulation.own.sophgo._table import Lookup


class Pow(Lookup, general.Pow):
    """As the general operator, with the compiler's table."""

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return "" if "scalar" in attributes else "only a power with one number is a table"
