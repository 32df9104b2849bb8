"""topk: the largest values along an axis, in order, and where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.graph import TensorType
from qflow.emulation.op import EXACT, MOVED, Call, Example, Fast, Op, Range, Unsupported, form
from qflow.emulation.ops._window import argument
from qflow.emulation.steps.input import WHOLE

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Topk(Op):
    """Attributes: k, dim, largest, sorted. Of equal values the first comes first.

    In integers always sorted, and one node gives the values or, with indices, where they are.
    """

    name = "topk"
    role = "pool"
    index_part = 1
    fields = form(k="count", dim="axis", largest="flag", indices="flag")
    within = EXACT
    writes = MOVED
    shares_scale = True
    functions = ("torch.topk", "torch.Tensor.topk")
    examples = (
        Example(
            ((2, 7),),
            {"k": 3, "dim": 1, "largest": True, "sorted": True},
            written=("torch.topk(x, 3)", "x.topk(k=3, dim=-1)"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {
            "k": int(argument(args, kwargs, 1, "k", 1)),
            "dim": argument(args, kwargs, 2, "dim", -1) % len(shapes[0]),
            "largest": bool(argument(args, kwargs, 3, "largest", True)),
            "sorted": bool(argument(args, kwargs, 4, "sorted", True)),
        }

    def meaning(self, node: PreparedNode, *operands: Tensor) -> tuple[Tensor, ...]:
        return tuple(operands[0].topk(**node.attributes))

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray | tuple[np.ndarray, ...]:
        order = _order(operands[0], attributes)
        return np.take_along_axis(operands[0], order, attributes["dim"]), order

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.on_grid(node, 0)
        fields = {n: node.attributes[n] for n in ("k", "dim", "largest")}
        shape = self.shape(fields, [build.types[source].shape])
        output = build.output_type(node, shape)
        for place, type_ in enumerate((output, TensorType("int32", shape))):
            attributes = {**fields, "indices": place == 1}
            build.emit(node, "topk", (source,), type_, attributes, id=f"{node.id}:{place}")

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        shape, dim, k = tuple(shapes[0]), attributes["dim"], attributes["k"]
        if dim >= len(shape) or k > shape[dim]:
            raise Unsupported(f"axis {dim} of a tensor {shape} has no {k} values")
        return (*shape[:dim], k, *shape[dim + 1 :])

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return (0, WHOLE[1]) if call.node.attributes["indices"] else ranges[0]

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        order = _order(operands[0], a)
        return order if a["indices"] else np.take_along_axis(operands[0], order, a["dim"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a = call.node.attributes

        def run(x: Tensor) -> Tensor:
            found = torch.sort(x, dim=a["dim"], descending=a["largest"], stable=True)
            wanted = found.indices if a["indices"] else found.values
            return wanted.narrow(a["dim"], 0, a["k"])

        return Fast(run)


def _order(x: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """Places of the k values, the largest (or smallest) first, of equal ones the first first."""
    signed = -x if attributes["largest"] else x
    order = np.argsort(signed, axis=attributes["dim"], kind="stable")
    return np.take(order, range(attributes["k"]), axis=attributes["dim"])
