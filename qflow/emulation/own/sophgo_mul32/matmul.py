"""matmul: of two activations, or of an activation and constant matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.gemm import carrier_for
from qflow.emulation.op import Call, Constant, Fast, Range, Unsupported, form
from qflow.emulation.ops import matmul as general
from qflow.emulation.own.sophgo._operands import limits, reach
from qflow.emulation.profile import Limits
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.rescale import fast_rescale, multiplier_and_shift, named, rescaled
from qflow.emulation.sophgo.rounding import ShiftRounding
from qflow.emulation.sophgo.search import search32
from qflow.emulation.sophgo.weights import Weights, bias32, per_tensor

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Matmul(general.Matmul):
    """Attributes: form, `two` or `constant`, low, high. `sat(RSR((sum x*y + b) * m, r))`."""

    operands = (1, 2)
    fields = form(form="word", low="integer", high="integer")
    rounding: ClassVar[ShiftRounding] = "half_away"

    def lower(self, node: PreparedNode, build: Builder) -> None:
        shapes = [build.operand(node, i).shape for i in range(len(node.inputs))]
        constants: dict[str, np.ndarray] = {}
        kind = "two" if node.weight is None else "constant"
        if node.weight is None:
            step = source_scale(node, 1)
        else:
            if node.attributes["constant"] == 0:
                raise Unsupported("a constant on the left stays float on this target")
            weights = per_tensor(node.weight)
            step = float(weights.scale[0])
            shapes.append(node.weight.shape)
            constants["weight"] = weights.integers
        shape = self.shape({}, shapes)
        source, target = source_scale(node, 0), target_scale(node)
        columns = Weights(np.zeros(0, np.int8), np.full(shape[-1], step))
        constants["bias"] = bias32(node.bias, columns, source)
        constants |= named(*search32(source * step / target))
        output = build.output_type(node, shape)
        low, high = limits(node, build, output)
        attributes = {"form": kind, "low": low, "high": high}
        build.emit(node, "matmul", node.inputs, output, attributes, constants)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        both = [*shapes, weight] if len(shapes) == 1 else [*shapes]
        return super().shape(attributes, both)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        found = {"bias": Constant(("int32",), ((call.node.output.shape[-1],),))}
        if call.node.attributes["form"] == "constant" and "weight" in call.constants:
            found["weight"] = Constant(("int8",), (call.constants["weight"].shape,))
        return found | multiplier_and_shift()

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, c = call.node.attributes, call.constants
        right = operands[1] if a["form"] == "two" else c["weight"]
        acc = operands[0].astype(np.int64) @ right.astype(np.int64) + c["bias"]
        total = rescaled(acc, c["multiplier"], c["shift"], self.rounding)
        return np.clip(total, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, c = call.node.attributes, call.constants
        other = (
            reach(ranges[1]) if a["form"] == "two" else int(np.abs(c["weight"].astype(int)).max())
        )
        most = reach(ranges[0]) * other * call.sources[0].shape[-1]
        most += int(np.abs(c["bias"].astype(np.int64)).max())
        carrier = carrier_for(most, device)
        dtype = getattr(torch, carrier)
        clamp = Limits(most, a["low"], a["high"])
        end = fast_rescale(c["multiplier"], c["shift"], self.rounding, clamp, device)
        bias = torch.from_numpy(c["bias"].astype(np.int64)).to(device, dtype)
        if a["form"] == "two":

            def both(x: Tensor, y: Tensor) -> Tensor:
                return end(x.to(dtype) @ y.to(dtype) + bias)

            return Fast(both, carrier, most)
        weight = torch.from_numpy(c["weight"].astype(np.int64)).to(device, dtype)
        return Fast(lambda x: end(x.to(dtype) @ weight + bias), carrier, most)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return call.node.attributes["low"], call.node.attributes["high"]
