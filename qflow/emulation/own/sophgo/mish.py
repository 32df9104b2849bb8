"""mish: a table of 256 entries, made in float64."""

from __future__ import annotations

from qflow.emulation.ops import mish as general
from qflow.emulation.own.sophgo._table import Lookup


class Mish(Lookup, general.Mish):
    """As the general operator, with the compiler's table."""
