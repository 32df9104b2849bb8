"""IntegerProfile: profiles that rescale by an integer multiplier and a shift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.line import Line, line
from qflow.emulation.profile import Constants, Limits, Profile, Ratio, Use, saturate

if TYPE_CHECKING:
    from qflow.emulation.profile import Binary, Unary

GUARD_BITS = {8: 20, 16: 15}
"""Bits below the operands' grid in which a sum is made, by operand width: those of TFLite's ADD."""


PREFIXES: Mapping[str, tuple[str, ...]] = {
    "rescale": ("",),
    "residual": ("", "residual_"),
    "kept_residual": ("residual_",),
    "add": ("left_", "right_", ""),
}
FLOAT32_BITS = 24
"""float32 holds every integer of so many bits."""


class IntegerProfile(Profile):
    """Constants: `multiplier` and `shift`, int32 [1] or [channels]; a shift below 0 goes left.

    A residual's are called `residual_*`, those of a sum's operands `left_*` and `right_*`.
    """

    adds_in_accumulator = True
    bits: ClassVar[int]
    """Width of the multiplier without a sign."""
    shifts: ClassVar[tuple[int, int]]
    """Smallest and largest shift."""
    double_rounding: ClassVar[bool] = False

    def derive(self, ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Multiplier and shift of float64 ratios above 0.

        ratio = f * 2^e with f in [0.5, 1): multiplier = round(f * 2^bits), shift = bits - e.
        """
        fraction, exponent = np.frexp(ratio)
        # ratios are positive: half away from zero is half up, and fraction * 2^bits is exact
        multiplier = np.floor(fraction * 2.0**self.bits + 0.5).astype(np.int64)
        carried = multiplier == 1 << self.bits
        multiplier = np.where(carried, 1 << (self.bits - 1), multiplier)
        shift = self.bits - exponent.astype(np.int64) - carried
        least, most = self.shifts
        vanishes, explodes = shift > most, shift < least
        multiplier = np.where(vanishes, 0, np.where(explodes, (1 << self.bits) - 1, multiplier))
        shift = np.where(vanishes, self.bits, np.where(explodes, least, shift))
        return multiplier, shift

    def multiply_shift(
        self, values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        """The profile's formula on int64 arrays."""
        raise NotImplementedError

    def roles(self, use: Use) -> Mapping[str, str]:
        names = [f"{prefix}{n}" for prefix in PREFIXES[use] for n in ("multiplier", "shift")]
        return dict.fromkeys(names, "int32")

    def check(self, role: str, constant: np.ndarray) -> str:
        low, high = self.shifts if role.endswith("shift") else (0, (1 << self.bits) - 1)
        if constant.min() >= low and constant.max() <= high:
            return ""
        return f"{role} leaves {low}..{high}"

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        return self._named("", ratio.exact)

    def residual_constants(self, gemm: Ratio, residual: np.ndarray) -> dict[str, np.ndarray]:
        return self.rescale_constants(gemm) | self.kept_residual_constants(gemm, residual)

    def kept_residual_constants(self, gemm: Ratio, residual: np.ndarray) -> dict[str, np.ndarray]:
        return self._named("residual_", Ratio((residual,), gemm.source).exact)

    def add_constants(
        self, left: np.ndarray, right: np.ndarray, output: np.ndarray, bits: int
    ) -> dict[str, np.ndarray]:
        guard = 2.0 ** GUARD_BITS[bits]
        double = 2.0 * np.maximum(left.astype(np.float64), right.astype(np.float64))
        return {
            **self._named("left_", left.astype(np.float64) / double * guard),
            **self._named("right_", right.astype(np.float64) / double * guard),
            **self._named("", double / (guard * output.astype(np.float64))),
        }

    def rescale(self, values: np.ndarray, constants: Constants) -> np.ndarray:
        return self._apply("", values, constants)

    def to_accumulator(self, residual: np.ndarray, constants: Constants) -> np.ndarray:
        return self._apply("residual_", residual, constants)

    def rescale_with_residual(
        self, values: np.ndarray, residual: np.ndarray, constants: Constants, bits: int
    ) -> np.ndarray:
        total = saturate(values + self.to_accumulator(residual, constants), bits)
        return self.rescale(total, constants)

    def add(self, left: np.ndarray, right: np.ndarray, constants: Constants) -> np.ndarray:
        fine_left = self._apply("left_", left, constants)
        fine_right = self._apply("right_", right, constants)
        return self.rescale(fine_left + fine_right, constants)

    def residual_bound(self, constants: Constants, largest: int) -> int:
        return _bound("residual_", constants, largest)

    def line(self, prefix: str, constants: Constants, limits: Limits) -> Line | None:
        multiplier, shift = (constants[f"{prefix}{n}"] for n in ("multiplier", "shift"))
        return line(multiplier, shift, limits, self.double_rounding)

    def fast_rescale(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        return self._fast("", constants, limits, 0, device)

    def fast_to_accumulator(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        return self._fast("residual_", constants, limits, 1 << (FLOAT32_BITS + 1), device)

    def fast_rescale_with_residual(
        self, constants: Constants, limits: Limits, residual: Limits, bits: int, device: Any
    ) -> Binary:
        reach = self.residual_bound(constants, residual.bound)
        most = (1 << (bits - 1)) - 1
        total = limits.bound + reach
        addend = Limits(residual.bound, -reach, reach)
        bring = self._fast("residual_", constants, addend, total, device)
        whole = Limits(min(total, most + 1), limits.low, limits.high)
        finish = self._fast("", constants, whole, 0, device)
        if total <= most:
            return lambda values, added: finish(values + bring(added))
        return lambda values, added: finish((values + bring(added)).clamp_(-most - 1, most))

    def fast_add(self, constants: Constants, left: int, right: Limits, device: Any) -> Binary:
        reach = [_bound("left_", constants, left), _bound("right_", constants, right.bound)]
        total = sum(reach)
        one = self._fast("left_", constants, Limits(left, -reach[0], reach[0]), total, device)
        addend = Limits(right.bound, -reach[1], reach[1])
        other = self._fast("right_", constants, addend, total, device)
        finish = self._fast("", constants, Limits(total, right.low, right.high), 0, device)
        return lambda a, b: finish(one(a) + other(b))

    def term_bound(self, prefix: str, constants: Constants, largest: int) -> int:
        """Largest magnitude of an operand of a sum, `left_` or `right_`, once it is rescaled."""
        return _bound(prefix, constants, largest)

    def fast_term(self, prefix: str, constants: Constants, largest: int, device: Any) -> Unary:
        """That rescale in torch, of operands of magnitude `largest`; the result is float64."""
        bound = self.term_bound(prefix, constants, largest)
        limits = Limits(largest, -bound, bound)
        return self._fast(prefix, constants, limits, 1 << (FLOAT32_BITS + 1), device)

    def _named(self, prefix: str, ratio: np.ndarray) -> dict[str, np.ndarray]:
        multiplier, shift = self.derive(ratio)
        return {
            f"{prefix}multiplier": multiplier.astype(np.int32),
            f"{prefix}shift": shift.astype(np.int32),
        }

    def _apply(self, prefix: str, values: np.ndarray, constants: Constants) -> np.ndarray:
        multiplier = constants[f"{prefix}multiplier"].astype(np.int64)
        return self.multiply_shift(values, multiplier, constants[f"{prefix}shift"].astype(np.int64))

    def _fast(
        self, prefix: str, constants: Constants, limits: Limits, total: int, device: Any
    ) -> Unary:
        """`total` is the largest sum the result goes into; it decides the result's dtype."""
        import torch

        from qflow.emulation.runtimes._rescale import multiply_shift

        return multiply_shift(
            constants[f"{prefix}multiplier"],
            constants[f"{prefix}shift"],
            limits,
            self.double_rounding,
            torch.float32 if total < 1 << FLOAT32_BITS else torch.float64,
            device,
        )


def _bound(prefix: str, constants: Constants, largest: int) -> int:
    """Every profile's result lies within one of the exact product."""
    pairs = zip(
        constants[f"{prefix}multiplier"].ravel().tolist(),
        constants[f"{prefix}shift"].ravel().tolist(),
        strict=True,
    )
    return max((largest * m >> s) + 2 if s >= 0 else (largest * m << -s) + 2 for m, s in pairs)
