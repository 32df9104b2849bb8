"""all_fp16: known by name, and refused: no march that ships computes in float16."""

from __future__ import annotations

from dataclasses import dataclass

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.deciding import Answer, Setter
from qflow.quantization.scene import Scene


@dataclass(frozen=True)
class AllFp16Setter(Setter):
    """Raises QF501 as soon as it is used."""

    name: str

    def decide(self, scene: Scene, taken: frozenset[str]) -> Answer:
        raise fail(
            Diagnostic(
                "QF501",
                f"`{self.name}` needs float16 operators, which {scene.march.name} does not have",
                notes=("qflow computes on integer grids; no march it has lists float16",),
                help="use a setter of 16-bit activations: "
                "`calibration_8bit_weight_16bit_act_qconfig_setter`",
            )
        )
