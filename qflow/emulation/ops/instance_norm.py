"""instance_norm: each channel of each sample brought to mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Unsupported
from qflow.emulation.ops._norm import Normalization, Sizes, parameters_of
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class InstanceNorm(Normalization):
    """Attribute: eps."""

    name = "instance_norm"
    modules = ("torch.nn.InstanceNorm1d", "torch.nn.InstanceNorm2d", "torch.nn.InstanceNorm3d")
    functions = ("torch.nn.functional.instance_norm", "torch.instance_norm")
    examples = (
        Example(
            ((2, 3, 4, 4),),
            {"eps": 1e-5},
            written=(
                "F.instance_norm(x)",
                "nn.InstanceNorm2d(3)",
                "nn.InstanceNorm2d(3, affine=True)",
            ),
        ),
        Example(((2, 3, 17),), {"eps": 1e-5}, (3,), bias=(3,)),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        if module.track_running_stats:
            raise Unsupported("it uses running statistics: with those it is a batch norm")
        return {"eps": module.eps}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        if not argument(args, kwargs, 5, "use_input_stats", True):
            raise Unsupported("it uses running statistics: with those it is a batch norm")
        return {"eps": argument(args, kwargs, 7, "eps", 1e-5)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import instance_norm

        weight, bias = parameters_of(node)
        return instance_norm(operands[0], weight=weight, bias=bias, eps=node.attributes["eps"])

    def grouped(self, attributes: Mapping[str, Any], shape: Sizes) -> tuple[Sizes, int]:
        if len(shape) < 3:
            raise Unsupported(f"a tensor {shape} has nothing to normalize in a channel")
        return (-1, shape[1], prod(shape[2:])), 1

    def per_value(self, attributes: Mapping[str, Any], shape: Sizes) -> Sizes:
        return (1, shape[1], *(1 for _ in shape[2:]))
