"""FoldedMean: TFLite's rule of a mean, whose multiplier takes in the number of values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qflow.emulation.own.tflite._ruled import Ruled
from qflow.emulation.own.tflite._rules import Reference
from qflow.emulation.profile import Profile, Ratio
from qflow.emulation.profiles._high_multiply import BITS

LONGEST_FOLD = 32


class FoldedMean(Reference):
    """`y = MBQM(sum, multiplier', shift')`, MBQM as in `tflite.reference`.

    With multiplier and e of s_x / s_y (`QuantizeMultiplier`) and n values:
    fold = min(floor(log2 n), 32, 31 + e), multiplier' = floor(multiplier * 2^fold / n), and
    shift' = e - fold. Source: `QuantizedMeanOrSum` of TFLite's reference kernels, measured on MEAN
    under every resolver of LiteRT but those the other profiles name.
    """

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        multiplier, shift = self.derive(Ratio(ratio.source, ratio.target).exact)
        fold = np.minimum(min(ratio.count.bit_length() - 1, LONGEST_FOLD), 2 * BITS - shift)
        fold = np.maximum(fold, 0)
        return {
            "multiplier": ((multiplier << fold) // ratio.count).astype(np.int32),
            "shift": (shift + fold).astype(np.int32),
        }


class Mean(Ruled):
    """`FoldedMean` under every kernel of TFLite."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        return FoldedMean(profile)
