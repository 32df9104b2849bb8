"""What add and sub of TFLite share: both operands come to a fine common grid, and are joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.integer_profile import GUARD_BITS
from qflow.emulation.op import Call
from qflow.emulation.ops._sum import Sum
from qflow.emulation.own.tflite._ruled import Ruled
from qflow.emulation.own.tflite._rules import Reference
from qflow.emulation.profile import Constants, Limits, Profile
from qflow.emulation.profiles._high_multiply import BITS

if TYPE_CHECKING:
    from qflow.emulation.profile import Binary

Signs = tuple[int, int]


class FineSum(Reference):
    """`y = rescale(sign_l * fine(left) + sign_r * fine(right))`, guard = 20, or 15 at int16.

    With m = 2 * max(s_l, s_r): fine(v) = MBQM(v << guard, s_v / m), and the rescale is by
    m / (2^guard * s_y); MBQM as in `tflite.reference`. Where `single`, the operands are rounded
    once, half up, instead. Source: ADD and SUB of TFLite (for int16 without `pot_scale_int16`);
    that ADD of the built-in kernels rounds operands once is measured.
    """

    def __init__(self, outer: Profile, bits: int, signs: Signs, single: bool) -> None:
        super().__init__(outer)
        self.guard, self.signs, self.single = GUARD_BITS[bits], signs, single

    def add_constants(
        self, left: np.ndarray, right: np.ndarray, output: np.ndarray, bits: int
    ) -> dict[str, np.ndarray]:
        double = 2.0 * np.maximum(left.astype(np.float64), right.astype(np.float64))
        return {
            **self._named("left_", left.astype(np.float64) / double),
            **self._named("right_", right.astype(np.float64) / double),
            **self._named("", double / (2.0**self.guard * output.astype(np.float64))),
        }

    def check(self, role: str, constant: np.ndarray) -> str:
        # s_v / m is at most one half, and sums are made for that
        if role in ("left_shift", "right_shift") and constant.min() < BITS:
            return f"{role} lets an operand grow"
        return super().check(role, constant)

    def add(self, left: np.ndarray, right: np.ndarray, constants: Constants) -> np.ndarray:
        fine_left = self._fine("left_", left << self.guard, constants)
        fine_right = self._fine("right_", right << self.guard, constants)
        total = self.signs[0] * fine_left + self.signs[1] * fine_right
        return self.rescale(total, constants)

    def _fine(self, prefix: str, values: np.ndarray, constants: Constants) -> np.ndarray:
        if not self.single:
            return self._apply(prefix, values, constants)
        multiplier = constants[f"{prefix}multiplier"].astype(np.int64)
        shift = constants[f"{prefix}shift"].astype(np.int64)
        return (values * multiplier + (np.int64(1) << (shift - 1))) >> shift

    def fast_add(self, constants: Constants, left: int, right: Limits, device: Any) -> Binary:
        raise_by = 1 << self.guard
        one = self._fast_fine("left_", constants, left * raise_by, device)
        other = self._fast_fine("right_", constants, right.bound * raise_by, device)
        # neither operand grows: s_v / m is at most one half
        total = Limits((left + right.bound) * raise_by, right.low, right.high)
        end = self._fast("", constants, total, 0, device)
        first, second = self.signs
        return lambda a, b: end(
            first * one(a.double() * raise_by) + second * other(b.double() * raise_by)
        )

    def _fast_fine(self, prefix: str, constants: Constants, bound: int, device: Any) -> Any:
        import torch

        from qflow.emulation.runtimes._rescale import multiply_shift

        return multiply_shift(
            constants[f"{prefix}multiplier"],
            constants[f"{prefix}shift"],
            Limits(bound, -bound, bound),
            not self.single,
            torch.float64,
            device,
        )


class TfliteSum(Ruled, Sum):
    """`FineSum` under every kernel, with operands that are rounded once where `once` says so."""

    def once(self, writes: str) -> bool:
        """Whether operands are rounded once."""
        return False

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        reflected = attributes.get("reflected", False)
        signs = (self.sign, 1) if reflected else (1, self.sign)
        bits = 16 if "int16" in reads else 8
        return FineSum(profile, bits, signs, self.once(writes))

    def signs(self, call: Call) -> Signs:
        return 1, 1  # the rule has them
