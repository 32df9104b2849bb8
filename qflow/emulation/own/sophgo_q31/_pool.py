"""Average pools of CV18xx: the sum, one multiplier of 8 bits, one rounding in float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Op, Range
from qflow.emulation.own.sophgo_q31._joint import BYTE, LONGEST, ONE
from qflow.emulation.sophgo import border, q31
from qflow.emulation.sophgo import fast as rounding_in_torch
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.reading import integers, limits
from qflow.emulation.sophgo.rounding import cvms

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

HALF = np.float32(0.5)


def emit(
    node: PreparedNode,
    build: Builder,
    shape: tuple[int, ...],
    taps: int,
    attributes: Mapping[str, Any],
) -> None:
    """A node of `node.op` that divides by `taps`."""
    multiplier, shift = q31.mean(source_scale(node, 0), target_scale(node), taps)
    output = build.output_type(node, shape)
    constants = {"multiplier": integers(multiplier), "shift": integers(shift)}
    settings = {**attributes, **limits(node, output)}
    build.emit(node, node.op, node.inputs, output, settings, constants)


class Pool(Op):
    """What stands before the general class of an average pool."""

    integer = True

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {
            "multiplier": Constant(("int32",), ONE, low=BYTE[0], high=BYTE[1]),
            "shift": Constant(("int32",), ONE, low=0, high=LONGEST),
        }

    def average(self, call: Call, total: np.ndarray) -> np.ndarray:
        """From sums, int64, to the output."""
        a, c = call.node.attributes, call.constants
        return np.clip(cvms(total, c["multiplier"], c["shift"]), a["low"], a["high"])

    def fast_average(self, call: Call, bound: int, device: Any) -> Callable[[Tensor], Tensor]:
        """The same in torch, of float sums up to `bound`."""
        a, c = call.node.attributes, call.constants
        rounded = rounding_in_torch.cvms(c["multiplier"], c["shift"], bound, device)
        return lambda total: rounded(total).clamp_(a["low"], a["high"])


def refilled(
    total: np.ndarray, shape: tuple[int, ...], attributes: Mapping[str, Any]
) -> np.ndarray:
    """Sums of windows whose padding holds their mean, halves up in float32; int64."""
    return np.floor(border.mean_of_valid(total, shape, attributes) + HALF).astype(np.int64)


def fast_refilled(call: Call, device: Any) -> Callable[[Tensor], Tensor]:
    import torch

    a, shape = call.node.attributes, call.shapes[0]
    counts = [border.valid(shape[2 + axis], a, axis) for axis in (0, 1)]
    taps = torch.from_numpy(np.outer(*counts).astype(np.float32)).to(device)
    rows, columns = map(float, a["kernel"])
    return lambda total: (total / taps).mul_(rows).mul_(columns).add_(0.5).floor_()


def summed(
    pool: Pool, call: Call, ranges: Sequence[Range], device: Any, dims: Sequence[int], keepdim: bool
) -> Fast:
    """Fast form of a mean along whole axes."""
    shape = call.shapes[0]
    count = int(np.prod([shape[d] for d in dims]))
    bound = max(map(abs, ranges[0])) * count
    finish = pool.fast_average(call, bound, device)

    def run(x: Tensor) -> Tensor:
        # doubles: the sum of a large tensor leaves 24 bits
        return finish(x.double().sum(tuple(dims), keepdim=keepdim))

    return Fast(run, "float64", bound)
