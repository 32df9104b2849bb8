"""abs: a table on BM1684."""

from __future__ import annotations

import numpy as np

from qflow.emulation.builder import Builder
from qflow.emulation.ops.abs import Abs as General
from qflow.emulation.own.sophgo import lookup
from qflow.quantization.prepared import PreparedNode


class Abs(General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        lookup.lower(node, build, np.abs)
