"""Profile: how a target turns accumulators into outputs. A file in `profiles/` defines one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from qflow import registry
from qflow.emulation.op import Constant

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.graph import TensorType
    from qflow.emulation.line import Line
    from qflow.march import March
    from qflow.quantization.prepared import PreparedGraph

Constants = Mapping[str, np.ndarray]
"""Role to array, as an operator's constants; per-channel arrays broadcast against the values."""


Use = Literal["rescale", "residual", "kept_residual", "add"]
"""What constants are for; `Profile.<use>_constants` derives them."""


@dataclass(frozen=True)
class Ratio:
    """Scale of a value over the scale it shall have; every scale is float32, [1] or [channels]."""

    source: tuple[np.ndarray, ...]
    """Scales whose product is that of the value: input and weight of a convolution."""
    target: tuple[np.ndarray, ...]
    count: int = 1
    """The value is the sum of so many, of which the mean is wanted."""
    factor: float = 1.0
    """A number above 0 that the real value is multiplied by."""

    @property
    def exact(self) -> np.ndarray:
        """The ratio in float64."""
        source = np.prod(np.broadcast_arrays(*[s.astype(np.float64) for s in self.source]), axis=0)
        target = np.prod(np.broadcast_arrays(*[t.astype(np.float64) for t in self.target]), axis=0)
        return np.atleast_1d(source * self.factor / (target * self.count))

    @property
    def source_scale(self) -> np.ndarray:
        """The product of the source scales and the factor in float32, divided by the count."""
        product = product32(*self.source, np.float32(self.factor))
        return (product / np.float32(self.count)).astype(np.float32)

    @property
    def target_scale(self) -> np.ndarray:
        return product32(*self.target)


def product32(*scales: np.ndarray) -> np.ndarray:
    """Product in float32, from left to right."""
    result = scales[0].astype(np.float32)
    for scale in scales[1:]:
        result = (result * scale.astype(np.float32)).astype(np.float32)
    return result


@dataclass(frozen=True)
class Limits:
    """What is known of a value before it is rescaled, and what the result is clamped to."""

    bound: int
    """Largest magnitude of the value."""
    low: int
    high: int


class Profile:
    """One rule of rescaling, twice: `rescale` and so on in NumPy for the reader, `fast_*` in torch.

    `*_constants` derive from scales what a node stores. Arrays of values are int64 in NumPy; in
    torch any dtype that holds the integers, and results are float32 (float64 for accumulators).
    """

    name: ClassVar[str]
    """The word in the language: `tosa.single`."""
    own: ClassVar[tuple[str, ...]] = ()
    """Folders of `emulation/own` whose operators go before those of `emulation/ops`, the first one
    first: what the target computes by a rule of its own."""

    adds_in_accumulator: ClassVar[bool] = False
    """Whether `rescale_with_residual` is `rescale` of the saturated sum of the accumulator and
    `to_accumulator` of the residual."""

    def settle(self, graph: PreparedGraph, march: March) -> PreparedGraph:
        """The graph with its grids as the target's own tools would choose them."""
        return graph

    def roles(self, use: Use) -> Mapping[str, str]:
        """The constants of a use: role to dtype name."""
        raise NotImplementedError

    def check(self, role: str, constant: np.ndarray) -> str:
        """Why a constant read from a file cannot be right; empty when it can."""
        raise NotImplementedError

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        raise NotImplementedError

    def requantize_constants(self, source: TensorType, target: TensorType) -> dict[str, np.ndarray]:
        """For the step `rescale`, which brings a tensor onto another grid."""
        assert source.scale is not None, "floats lie on no grid"
        assert target.scale is not None, "floats lie on no grid"
        return self.rescale_constants(Ratio((source.scale,), (target.scale,)))

    def residual_constants(self, gemm: Ratio, residual: np.ndarray) -> dict[str, np.ndarray]:
        """For a gemm that adds a tensor of scale `residual` before it is rescaled by `gemm`."""
        raise NotImplementedError

    def kept_residual_constants(self, gemm: Ratio, residual: np.ndarray) -> dict[str, np.ndarray]:
        """The same where the accumulator is the output; `gemm.target` is empty."""
        raise NotImplementedError

    def add_constants(
        self, left: np.ndarray, right: np.ndarray, output: np.ndarray, bits: int
    ) -> dict[str, np.ndarray]:
        """For the sum of two tensors; `bits` is the wider operand's."""
        raise NotImplementedError

    def rescale(self, values: np.ndarray, constants: Constants) -> np.ndarray:
        """int64 to int64, not clamped."""
        raise NotImplementedError

    def to_accumulator(self, residual: np.ndarray, constants: Constants) -> np.ndarray:
        """A residual on the accumulator's scale, int64."""
        raise NotImplementedError

    def rescale_with_residual(
        self, values: np.ndarray, residual: np.ndarray, constants: Constants, bits: int
    ) -> np.ndarray:
        """Sum in accumulator precision (`bits` wide, saturating), then one rescale."""
        raise NotImplementedError

    def add(self, left: np.ndarray, right: np.ndarray, constants: Constants) -> np.ndarray:
        raise NotImplementedError

    def residual_bound(self, constants: Constants, largest: int) -> int:
        """Largest magnitude that a residual of magnitude `largest` adds to the accumulator."""
        raise NotImplementedError

    def fast_rescale(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        """`rescale` and the clamp, in torch."""
        raise NotImplementedError

    def line(self, prefix: str, constants: Constants, limits: Limits) -> Line | None:
        """A rescale by the constants of a prefix, `residual_` or none, as a product and a sum in
        float64; None where it is no such thing, or may be inexact."""
        return None

    def fast_to_accumulator(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        raise NotImplementedError

    def fast_rescale_with_residual(
        self, constants: Constants, limits: Limits, residual: Limits, bits: int, device: Any
    ) -> Binary:
        """`limits.bound` is the accumulator's alone, `residual.bound` the residual's."""
        raise NotImplementedError

    def fast_add(self, constants: Constants, left: int, right: Limits, device: Any) -> Binary:
        """`left` and `right.bound` are the operands' bounds; the clamp is that of `right`."""
        raise NotImplementedError


if TYPE_CHECKING:
    Unary = Callable[[Tensor], Tensor]
    Binary = Callable[[Tensor, Tensor], Tensor]


def file_name(name: str) -> str:
    """`tosa.single` -> `tosa_single`."""
    return name.replace(".", "_")


@cache
def profile(name: str) -> Profile:
    """The profile of that name, written with a dot or as its file is. Raises KeyError."""
    found = registry.load("emulation.profiles", file_name(name))
    return found()  # type: ignore[no-any-return]


def saturate(values: np.ndarray, bits: int) -> np.ndarray:
    """Clamped to a signed integer of so many bits."""
    return np.clip(values, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def constants_of(
    profile: Profile, use: Use, shapes: tuple[tuple[int, ...], ...]
) -> dict[str, Constant]:
    """What an operator says of the constants its profile needs."""
    return {role: Constant((dtype,), shapes, True) for role, dtype in profile.roles(use).items()}
