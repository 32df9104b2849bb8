"""clamp: from 0 it is a relu, whose limit the compiler drops; any other stays float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.ops import clamp as general
from qflow.emulation.own.sophgo._relu import Rectified


class Clamp(Rectified, general.Clamp):
    """No attributes of its integer node."""

    integer = True

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return "" if attributes["low"] == 0 else "a lower bound other than 0 stays float"
