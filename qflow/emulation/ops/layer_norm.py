"""layer_norm: the last axes brought to mean 0 and variance 1, then scaled and shifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import CLAMP, Example, Unsupported, form
from qflow.emulation.ops._norm import Normalization, Sizes, parameters_of
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class LayerNorm(Normalization):
    """Attributes: shape (the last axes that are normalized), eps."""

    name = "layer_norm"
    modules = ("torch.nn.LayerNorm",)
    functions = ("torch.nn.functional.layer_norm", "torch.layer_norm")
    fields = form(**CLAMP, shape="sizes")
    examples = (
        Example(
            ((2, 3, 8),),
            {"shape": (8,), "eps": 1e-5},
            written=("F.layer_norm(x, (8,))", "F.layer_norm(x, x.shape[-1:])", "nn.LayerNorm(8)"),
        ),
        Example(
            ((2, 3, 8),),
            {"shape": (3, 8), "eps": 1e-6},
            written=("F.layer_norm(x, [3, 8], eps=1e-6)", "nn.LayerNorm((3, 8), eps=1e-6)"),
        ),
        Example(((2, 3, 40),), {"shape": (40,), "eps": 1e-5}, (40,), bias=(40,)),
        Example(((2, 4, 5, 3),), {"shape": (3,), "eps": 1e-5}, (3,)),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        return {"shape": tuple(module.normalized_shape), "eps": module.eps}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        shape = argument(args, kwargs, 1, "normalized_shape", ())
        return {
            "shape": tuple(shape),
            "eps": argument(args, kwargs, 4, "eps", 1e-5),
        }

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import layer_norm

        shape, eps = node.attributes["shape"], node.attributes["eps"]
        return layer_norm(operands[0], shape, *parameters_of(node), eps)

    def grouped(self, attributes: Mapping[str, Any], shape: Sizes) -> tuple[None, int]:
        last = tuple(attributes["shape"])
        if len(last) >= len(shape) or shape[len(shape) - len(last) :] != last:
            raise Unsupported(f"a tensor {shape} does not end with the axes {last}")
        return None, len(last)

    def per_value(self, attributes: Mapping[str, Any], shape: Sizes) -> Sizes:
        return tuple(attributes["shape"])
