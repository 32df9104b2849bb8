"""softmax: SOFTMAX of the optimized kernels; int8 in float32, int16 by two tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from qflow.emulation.own.tflite import softmax
from qflow.emulation.own.tflite_builtin import _softmax_floats


class Softmax(softmax.Softmax):
    """As that of the reference kernels."""

    forms: ClassVar[Mapping[str, Any]] = {**softmax.FORMS, "int8": _softmax_floats}
