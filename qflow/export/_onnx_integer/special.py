"""special: operators whose oracle looks at what cannot be looked at here: values, or the batch.

What they refuse is not found when the file runs: not-a-number quantizes to some integer, and an
index outside of a table is an error of the runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qflow.emulation.op import Call, op
from qflow.emulation.steps.island import HELD, OP
from qflow.export._onnx_integer.places import from_table
from qflow.export._onnx_integer.tape import Tape
from qflow.export._onnx_integer.traced import Traced


def _embedding(call: Call, tape: Tape, index: Traced) -> Traced:
    return from_table(np.asarray(call.constants["weight"]).astype(np.int64), index)


def _constant(call: Call, tape: Tape, *batch: Traced) -> Any:
    """For each sample, where it has an operand that says how many there are."""
    value = np.asarray(call.constants["value"])
    if not batch:
        return value
    times = [1] * value.ndim
    times[call.node.attributes["axis"]] = len(batch[0])
    shape = [n * t for n, t in zip(value.shape, times, strict=True)]
    ends = int(value.min()), int(value.max())
    return tape.node("Tile", [value, np.array(times, np.int64)], value.dtype, shape, ends)


def _island(call: Call, tape: Tape, *operands: Traced) -> Any:
    """In float64, as the oracle does; functions and sums are the runtime's, so that the last bit
    of the float32 it is rounded to may differ where two libraries do.
    """
    settings = dict(call.node.attributes)
    operator = op(settings.pop(OP))
    floats: list[Any] = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in operands]
    weights: dict[str, Any] = {r: a.astype(np.float64) for r, a in call.constants.items()}
    if (place := settings.pop(HELD, None)) is not None and "weight" in weights:
        floats.insert(place, weights.pop("weight"))
    found: Any = operator.real(settings, *floats, **weights)
    return found.astype(call.node.output.dtype)


RULES: Mapping[str, Callable[..., Any]] = {
    "constant": _constant,
    "embedding": _embedding,
    "island": _island,
}
