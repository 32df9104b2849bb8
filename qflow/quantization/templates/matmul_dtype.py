"""matmul_dtype: the dtypes every matmul multiplies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qflow.dtype import qint8
from qflow.quantization.scene import Scene
from qflow.quantization.templates.request import (
    Applied,
    Requests,
    Template,
    ask_operand,
    dtype_word,
)


@dataclass(frozen=True)
class MatmulDtypeTemplate(Template):
    """Both operands of all matmuls: one dtype, or one each; None leaves an operand as it is."""

    input_dtypes: Any = qint8

    def apply(self, scene: Scene, requests: Requests) -> Applied:
        made = dict(requests)
        both = self.input_dtypes
        dtypes = tuple(both) if isinstance(both, (tuple, list)) else (both, both)
        for unit in scene.units:
            if scene.op(unit) != "matmul":
                continue
            for slot, dtype in enumerate(dtypes):
                if dtype is not None:
                    ask_operand(scene, made, unit, slot, dtype_word(dtype), "MatmulDtypeTemplate")
        return Applied(made)
