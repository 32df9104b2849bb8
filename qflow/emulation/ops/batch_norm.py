"""batch_norm: only ever folded into the convolution or linear before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Op, Unsupported

if TYPE_CHECKING:
    from torch import nn


class BatchNorm(Op):
    """No attributes: folding reads the module itself."""

    name = "batch_norm"
    role = "normalization"
    modules = (
        "torch.nn.BatchNorm1d",
        "torch.nn.BatchNorm2d",
        "torch.nn.BatchNorm3d",
        "torch.nn.SyncBatchNorm",
    )
    functions = ("torch.nn.functional.batch_norm", "torch.batch_norm")
    pattern_word = "bn"
    integer = False

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        if m.running_mean is None:
            raise Unsupported("a batch norm without running statistics cannot be folded")
        return {}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        raise Unsupported("a functional batch_norm cannot be folded: use nn.BatchNorm2d")
