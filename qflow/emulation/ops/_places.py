"""Where the largest or smallest value along an axis is; of equal ones the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.graph import TensorType
from qflow.emulation.ops._along import without

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


def emit(
    node: PreparedNode, build: Builder, dim: int, keepdim: bool, largest: bool, id: str
) -> None:
    """Emit the node that gives the places, as whole numbers."""
    build.operand(node, 0)
    attributes = {"dim": dim, "keepdim": keepdim, "largest": largest}
    shape = without(build.types[node.inputs[0]].shape, (dim,), keepdim)
    build.emit(node, "argmax", node.inputs, TensorType("int32", shape), attributes, id=id)


def places(x: np.ndarray, dim: int, keepdim: bool, largest: bool) -> np.ndarray:
    """NumPy's arg functions give the first of equal values."""
    return (np.argmax if largest else np.argmin)(x, axis=dim, keepdims=keepdim)


def fast_places(x: Tensor, dim: int, keepdim: bool, largest: bool) -> Tensor:
    """The same in torch, which does not say which of equal values it takes: the first here."""
    import torch

    end = (torch.amax if largest else torch.amin)(x, dim=dim, keepdim=True)
    view = [1] * x.ndim
    view[dim] = -1
    numbers = torch.arange(x.shape[dim], device=x.device).view(view)
    return torch.where(x == end, numbers, x.shape[dim]).amin(dim=dim, keepdim=keepdim)
