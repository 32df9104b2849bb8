"""group_norm: groups of channels brought to mean 0 and variance 1, then scaled and shifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import CLAMP, Example, Unsupported, form
from qflow.emulation.ops._norm import Normalization, Sizes, parameters_of
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class GroupNorm(Normalization):
    """Attributes: groups, eps."""

    name = "group_norm"
    modules = ("torch.nn.GroupNorm",)
    functions = ("torch.nn.functional.group_norm", "torch.group_norm")
    fields = form(**CLAMP, groups="count")
    examples = (
        Example(
            ((2, 6, 4, 4),),
            {"groups": 3, "eps": 1e-5},
            written=("F.group_norm(x, 3)", "nn.GroupNorm(3, 6)"),
        ),
        Example(((2, 4, 9),), {"groups": 2, "eps": 1e-3}, (4,), bias=(4,)),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        return {"groups": int(module.num_groups), "eps": module.eps}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {
            "groups": argument(args, kwargs, 1, "num_groups", 1),
            "eps": argument(args, kwargs, 4, "eps", 1e-5),
        }

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import group_norm

        groups, eps = node.attributes["groups"], node.attributes["eps"]
        return group_norm(operands[0], groups, *parameters_of(node), eps)

    def grouped(self, attributes: Mapping[str, Any], shape: Sizes) -> tuple[Sizes, int]:
        groups = attributes["groups"]
        if len(shape) < 2 or shape[1] % groups:
            raise Unsupported(f"the channels of a tensor {shape} do not make {groups} groups")
        return (-1, groups, prod(shape[1:]) // groups), 1

    def per_value(self, attributes: Mapping[str, Any], shape: Sizes) -> Sizes:
        return (1, shape[1], *(1 for _ in shape[2:]))
