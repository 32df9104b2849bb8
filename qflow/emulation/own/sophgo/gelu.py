"""gelu: a table of 256 entries, made in float64."""

from __future__ import annotations

from qflow.emulation.ops import gelu as general
from qflow.emulation.own.sophgo._table import Lookup


class Gelu(Lookup, general.Gelu):
    """As the general operator, with the compiler's table."""
