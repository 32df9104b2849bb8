"""The prepared model as a record: what lowering reads, and all it reads, of a torch module.

One node per call, in execution order. Tensors are float32 on the CPU; shapes include the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qflow.dtype import DType

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Grid:
    """A symmetric or affine integer grid: real = (q - zero_point) * scale."""

    dtype: DType
    scale: np.ndarray
    """float32, shape [1], or [channels] along `axis`."""
    zero_point: int = 0
    axis: int | None = None
    lowest: float | None = None
    """Smallest value that was observed, where a target's rules ask for it."""
    rounding: str = ""
    """How floats are rounded onto it: a word of a march; empty: as the march does."""


@dataclass(frozen=True)
class PreparedNode:
    id: str
    """The address; `address#1` for its second call, and so on."""
    address: str
    op: str
    """Operator name (file in `emulation/ops`). A fusion has the op of its gemm."""
    inputs: tuple[str, ...]
    """Ids of the tensor operands in the operator's order. A fused residual comes last. One output
    of several is `<id>:<k>`."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What `Op.attributes_of_*` returned: ints, tuples of ints, strings."""
    weight: np.ndarray | None = None
    """float32, batch norm folded in. NOT quantized yet: lowering does that with `weight_grid`. Of
    a normalization, prelu or embedding its `weight`; of a constant its value, in its own dtype."""
    bias: np.ndarray | None = None
    """float32 [channels], batch norm folded in; of a normalization its `bias`."""
    weight_grid: Grid | None = None
    activation: str | None = None
    """`relu` or `relu6` fused behind it."""
    residual: bool = False
    """The last input is added before the activation, in accumulator precision."""
    input_grids: tuple[Grid | None, ...] = ()
    """Per operand the grid it is rescaled to before the operator reads it; None: as it comes."""
    grid: Grid | None = None
    """Grid of the output. None at inputs and dequantizes, and where the accumulator is kept."""
    out_dtype: str = ""
    """int8, uint8, int16, int32 (accumulator kept) or float32; `index` for whole numbers and masks,
    which lie on no grid: at an input as well."""
    shape: tuple[int, ...] = ()
    """Output shape on the example input."""
    free: tuple[int, ...] = (0,)
    """Axes of the output whose sizes follow the batch."""


@dataclass(frozen=True)
class PreparedGraph:
    nodes: tuple[PreparedNode, ...]
    inputs: tuple[str, ...]
    """Ids of the nodes with op `input`, in the order of the model's inputs."""
    outputs: tuple[tuple[str, str], ...]
    """(output name, id of the node it returns), in order."""
    outside: tuple[str, ...] = ()
    """Addresses of what runs before the quantizes and behind the dequantizes, and is not here."""
