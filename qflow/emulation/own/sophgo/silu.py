"""silu: a table of 256 entries, made in float64."""

from __future__ import annotations

from qflow.emulation.ops import silu as general
from qflow.emulation.own.sophgo._table import Lookup


class Silu(Lookup, general.Silu):
    """As the general operator, with the compiler's table."""
