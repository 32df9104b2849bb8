"""softmax: SOFTMAX along the last axis; int8 in fixed point, int16 by two tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.op import Call, Constant, Fast, FieldKind, Range, Unsupported, form
from qflow.emulation.ops import softmax
from qflow.emulation.own.tflite import _pinned, _softmax_bytes, _softmax_words

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

FORMS: Mapping[str, Any] = {"int8": _softmax_bytes, "int16": _softmax_words}
GRIDS = {"int8": (2.0**-8, -128), "int16": (2.0**-15, 0)}
"""Scale and zero point of the output."""
LONGEST = 1 << 12
"""Longest row whose sum of exponents stays within its integer bits."""


class Softmax(softmax.Softmax):
    """Attribute: dim, the last axis.

    The output has a grid of its own; where the model has another one, a rescale follows.
    """

    fields: ClassVar[Mapping[str, FieldKind]] = form(dim="axis")
    forms: ClassVar[Mapping[str, Any]] = FORMS
    """How a row is computed, by dtype: a module with constants, exponents and shares."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        output = build.output_type(node, source.shape)
        dim = node.attributes["dim"] % len(source.shape)
        if dim != len(source.shape) - 1:
            raise Unsupported(f"dim = {dim}: TFLite has it along the last axis")
        if source.dtype not in self.forms:
            raise Unsupported(f"{source.dtype}: TFLite has it at int8 and int16")
        if source.shape[dim] > LONGEST:
            raise Unsupported(f"a row of {source.shape[dim]}: TFLite's sums have 12 bits")
        step, zero = GRIDS[source.dtype]
        own = replace(
            output, dtype=source.dtype, scale=np.array([step], np.float32), zero_point=zero
        )
        constants = self.forms[source.dtype].constants(float(scale(source)[0]))
        _pinned.emit(node, build, output, own, {"dim": dim}, constants, clamped=False)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        roles: Mapping[str, Constant] = self.forms[call.sources[0].dtype].ROLES
        return roles

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return (-128, 127) if call.sources[0].dtype == "int8" else (0, (1 << 15) - 1)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        x = operands[0].astype(np.int64)
        difference = x - x.max(axis=-1, keepdims=True)
        found: np.ndarray = self.forms[call.sources[0].dtype].shares(difference, call.constants)
        return found

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        # exponents are read from a table of the oracle's; the rest is the same integer arithmetic
        form = self.forms[call.sources[0].dtype]
        exponents = form.exponents(-np.arange(form.DIFFERENCES), call.constants)
        table = torch.from_numpy(np.ascontiguousarray(exponents)).to(device)

        def run(q: Any) -> Any:
            x = q.long()
            distance = x.amax(-1, keepdim=True) - x
            found = table.index_select(0, distance.reshape(-1)).reshape(distance.shape)
            return form.fast_shares(found, distance, call.constants)

        return Fast(run, "int64")
