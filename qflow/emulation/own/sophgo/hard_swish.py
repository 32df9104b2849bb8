"""hard_swish: a table of 256 entries, made in float64."""

from __future__ import annotations

from qflow.emulation.ops import hard_swish as general
from qflow.emulation.own.sophgo._table import Lookup


class HardSwish(Lookup, general.HardSwish):
    """As the general operator, with the compiler's table."""
