"""What average pools share: integer sums of windows, each divided by what its window counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.op import Call, Constant
from qflow.emulation.ops import _rescaled
from qflow.emulation.profile import Ratio, constants_of

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


def lower(
    node: PreparedNode,
    build: Builder,
    shape: tuple[int, ...],
    attributes: Mapping[str, Any],
    counts: np.ndarray,
    terms: int,
) -> None:
    """Emit one node: sums of at most `terms` values, divided by `counts`, int64 [rows, columns].

    Where the counts are equal there is one rescale, else one of its own per row and column.
    """
    source, output = build.operand(node, 0), build.output_type(node, shape)
    kinds, which = np.unique(counts, return_inverse=True)
    made = [
        build.profile.rescale_constants(Ratio((scale(source),), (scale(output),), int(count)))
        for count in kinds
    ]
    constants = {role: np.concatenate([one[role] for one in made]) for role in made[0]}
    if len(kinds) > 1:
        place = which.reshape(1, 1, *counts.shape)
        constants = {role: values[place] for role, values in constants.items()}
    _rescaled.warn_of_overflow(node, build, terms)
    attributes = {**attributes, **build.clamp(node, output)}
    build.emit(node, node.op, node.inputs, output, attributes, constants)


def roles(call: Call) -> Mapping[str, Constant]:
    output = call.node.output
    rows, columns = output.shape[1:3] if output.layout == "nhwc" else output.shape[-2:]
    return constants_of(call.profile, "rescale", ((1,), (1, 1, rows, columns)))
