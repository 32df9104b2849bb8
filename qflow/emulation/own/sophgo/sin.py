"""sin: a table of 256 entries, made in float64."""

from __future__ import annotations

from qflow.emulation.ops import sin as general
from qflow.emulation.own.sophgo._table import Lookup


class Sin(Lookup, general.Sin):
    """As the general operator, with the compiler's table."""
