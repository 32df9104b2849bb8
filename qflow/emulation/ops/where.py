"""where: values of one tensor or number where a mask is true, of another where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import (
    MOVED,
    ROUNDED,
    Call,
    Constant,
    Example,
    Fast,
    Op,
    Range,
    Unsupported,
    form,
)
from qflow.emulation.ops import _codes
from qflow.emulation.ops._larger import broadcast

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

NAMES = ("yes", "no")


class Where(Op):
    """Attributes: yes, no, the numbers; None where it is a tensor. Operands: mask, tensors.

    In integers yes and no say whether it is a tensor; numbers are constants on the output's grid.
    """

    name = "where"
    role = "elementwise"
    operands = (1, 3)
    fields = form(yes="flag", no="flag")
    reads = MOVED
    within = ROUNDED
    keeps_type = True
    functions = ("torch.where",)
    examples = (
        Example(
            ((2, 3), (2, 3), (2, 3)),
            {"yes": None, "no": None},
            written=("torch.where(x, y, z)",),
            kinds=("mask", "float", "float"),
        ),
        Example(
            ((2, 3), (2, 3)),
            {"yes": None, "no": 0.0},
            written=("torch.where(x, y, 0.0)",),
            kinds=("mask", "float"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        given = [*args[1:], *(kwargs[n] for n in ("input", "self", "other") if n in kwargs)]
        if len(given) != 2 or len(shapes) != 1 + given.count(None):
            raise Unsupported(
                "it takes a mask of truth values, then what to take where it is true "
                "and what where it is not"
            )
        return {"yes": given[0], "no": given[1]}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        mask, *tensors = operands
        a = node.attributes
        yes = tensors.pop(0) if a["yes"] is None else a["yes"]
        no = tensors.pop(0) if a["no"] is None else a["no"]
        return torch.where(mask, yes, no)

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        mask, *tensors = operands
        yes, no = (tensors.pop(0) if attributes[n] is None else attributes[n] for n in NAMES)
        return np.where(mask != 0, yes, no)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a = node.attributes
        mask = _codes.mask(node, build, 0)
        sources = tuple(build.on_grid(node, i) for i in range(1, len(node.inputs)))
        shape = broadcast([build.types[i].shape for i in (mask, *sources)])
        output = build.output_type(node, shape)
        constants = {
            name: _codes.constant(_codes.code(a[name], output, node, build), output)
            for name in NAMES
            if a[name] is not None
        }
        tensors = {name: a[name] is None for name in NAMES}
        build.emit(node, "where", (mask, *sources), output, tensors, constants)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        if len(shapes) != 1 + attributes["yes"] + attributes["no"]:
            raise Unsupported(f"it has {len(shapes)} operands")
        return broadcast(shapes)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        numbers = [n for n in NAMES if not call.node.attributes[n]]
        return {name: _codes.role(call.node.output) for name in numbers}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        found = [*ranges[1:], *((int(c[0]), int(c[0])) for c in call.constants.values())]
        return min(r[0] for r in found), max(r[1] for r in found)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        mask, *tensors = operands
        yes, no = (
            tensors.pop(0) if call.node.attributes[name] else call.constants[name].astype(np.int64)
            for name in NAMES
        )
        return np.where(mask != 0, yes, no)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        takes = [call.node.attributes[name] for name in NAMES]
        found = zip(NAMES, takes, strict=True)
        numbers = [None if is_tensor else float(call.constants[n][0]) for n, is_tensor in found]

        def run(mask: Tensor, *tensors: Tensor) -> Tensor:
            left = list(tensors)
            yes, no = (left.pop(0).float() if n is None else n for n in numbers)
            return torch.where(mask != 0, yes, no)

        return Fast(run)
