"""Weight and bias of norms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


def parameters_of(node: PreparedNode) -> tuple[Tensor | None, Tensor | None]:
    """Weight and bias as tensors; None where it has none."""
    import torch

    weight, bias = (None if a is None else torch.from_numpy(a) for a in (node.weight, node.bias))
    return weight, bias
