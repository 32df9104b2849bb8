"""special: operators whose oracle looks at values before it computes; here nothing can be looked at.

What they refuse is not found when the file runs: not-a-number quantizes to some integer, and an
index outside of a table is an error of the runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from qflow.emulation.op import Call
from qflow.export._onnx_integer.places import from_table
from qflow.export._onnx_integer.tape import Tape
from qflow.export._onnx_integer.traced import Traced


def _embedding(call: Call, tape: Tape, index: Traced) -> Traced:
    return from_table(np.asarray(call.constants["weight"]).astype(np.int64), index)


RULES: Mapping[str, Callable[..., Traced]] = {"embedding": _embedding}
