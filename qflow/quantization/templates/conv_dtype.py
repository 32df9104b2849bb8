"""conv_dtype: the dtypes every convolution multiplies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from qflow.plan import op_facts
from qflow.quantization.scene import Scene
from qflow.quantization.templates.request import (
    Applied,
    Requests,
    Template,
    Wish,
    ask_operand,
    dtype_word,
)


@dataclass(frozen=True)
class ConvDtypeTemplate(Template):
    """Input and weight of all convolutions; None leaves a part as it is."""

    input_dtype: Any = None
    weight_dtype: Any = None

    def apply(self, scene: Scene, requests: Requests) -> Applied:
        made = dict(requests)
        for unit in scene.units:
            if op_facts.pattern_word(scene.op(unit)) != "conv":
                continue
            if self.weight_dtype is not None:
                weight = Wish(dtype_word(self.weight_dtype))
                made[unit] = replace(made[unit], weight=weight, by="ConvDtypeTemplate")
            if self.input_dtype is not None:
                dtype = dtype_word(self.input_dtype)
                ask_operand(scene, made, unit, 0, dtype, "ConvDtypeTemplate")
        return Applied(made)
