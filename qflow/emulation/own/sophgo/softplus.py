"""softplus: a table of 256 entries, made in float64."""

from __future__ import annotations

from qflow.emulation.ops import softplus as general
from qflow.emulation.own.sophgo._table import Lookup


class Softplus(Lookup, general.Softplus):
    """As the general operator, with the compiler's table."""
