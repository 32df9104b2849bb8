"""FloatProfile: profiles of runtimes that rescale in float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.profile import Constants, Limits, Profile, Ratio, Use, product32

if TYPE_CHECKING:
    from qflow.emulation.profile import Binary, Unary

ROLES: Mapping[str, tuple[str, ...]] = {
    "rescale": ("source_scale", "target_scale"),
    "residual": ("source_scale", "residual_scale", "target_scale"),
    "kept_residual": ("residual_ratio",),
    "add": ("left_scale", "right_scale", "target_scale"),
}
FAR = 2.0**62
"""A rounded float32 is held within this before it becomes an int64."""


class FloatProfile(Profile):
    """Sums are made of dequantized float32 values, as a QDQ graph does; one division ends them.

    Constants, float32: `source_scale` and `target_scale`, `residual_scale`; of a sum `left_scale`
    and `right_scale`; where an accumulator is kept `residual_ratio`.
    """

    def roles(self, use: Use) -> Mapping[str, str]:
        return dict.fromkeys(ROLES[use], "float32")

    def check(self, role: str, constant: np.ndarray) -> str:
        fine = np.all(np.isfinite(constant)) and np.all(constant > 0)
        return "" if fine else f"{role} is not a number above 0"

    def residual_constants(self, gemm: Ratio, residual: np.ndarray) -> dict[str, np.ndarray]:
        return {
            "source_scale": gemm.source_scale,
            "residual_scale": residual.astype(np.float32),
            "target_scale": gemm.target_scale,
        }

    def kept_residual_constants(self, gemm: Ratio, residual: np.ndarray) -> dict[str, np.ndarray]:
        ratio = residual.astype(np.float32) / product32(*gemm.source)
        return {"residual_ratio": np.atleast_1d(ratio).astype(np.float32)}

    def add_constants(
        self, left: np.ndarray, right: np.ndarray, output: np.ndarray, bits: int
    ) -> dict[str, np.ndarray]:
        return {
            "left_scale": left.astype(np.float32),
            "right_scale": right.astype(np.float32),
            "target_scale": output.astype(np.float32),
        }

    def to_accumulator(self, residual: np.ndarray, constants: Constants) -> np.ndarray:
        return half_even(residual.astype(np.float32) * constants["residual_ratio"])

    def rescale_with_residual(
        self, values: np.ndarray, residual: np.ndarray, constants: Constants, bits: int
    ) -> np.ndarray:
        real = values.astype(np.float32) * constants["source_scale"]
        added = residual.astype(np.float32) * constants["residual_scale"]
        return half_even((real + added) / constants["target_scale"])

    def add(self, left: np.ndarray, right: np.ndarray, constants: Constants) -> np.ndarray:
        real_left = left.astype(np.float32) * constants["left_scale"]
        real_right = right.astype(np.float32) * constants["right_scale"]
        return half_even((real_left + real_right) / constants["target_scale"])

    def residual_bound(self, constants: Constants, largest: int) -> int:
        if "residual_ratio" not in constants:
            return 0
        return int(float(constants["residual_ratio"].max()) * largest) + 2

    def fast_to_accumulator(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        import torch

        ratio = torch.from_numpy(constants["residual_ratio"]).to(device)
        return lambda added: (added.float() * ratio).round_().double()

    def fast_rescale_with_residual(
        self, constants: Constants, limits: Limits, residual: Limits, bits: int, device: Any
    ) -> Binary:
        roles = ("source_scale", "residual_scale")
        return _fast_sum(constants, roles, limits, device)

    def fast_add(self, constants: Constants, left: int, right: Limits, device: Any) -> Binary:
        return _fast_sum(constants, ("left_scale", "right_scale"), right, device)


def half_even(values: np.ndarray) -> np.ndarray:
    """float32 to int64, half to even."""
    return np.clip(np.rint(values), -FAR, FAR).astype(np.int64)


def _fast_sum(constants: Constants, roles: tuple[str, str], limits: Limits, device: Any) -> Binary:
    import torch

    first, second, target = (
        torch.from_numpy(constants[r]).to(device) for r in (*roles, "target_scale")
    )

    def run(a: Any, b: Any) -> Any:
        total = (a.float() * first).add_(b.float() * second)
        return total.div_(target).round_().clamp_(limits.low, limits.high)

    return run
