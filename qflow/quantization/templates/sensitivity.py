"""sensitivity: more bits for the most sensitive tensors of a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from qflow.dtype import qint8, qint16
from qflow.quantization.names import covered
from qflow.quantization.scene import Scene
from qflow.quantization.setters.default import high_tails
from qflow.quantization.setters.sensitive import (
    cut,
    no_rows,
    of_kind,
    require_sensitive_type,
    rows_of,
)
from qflow.quantization.templates.request import Applied, Requests, Template, Wish, dtype_word


@dataclass(frozen=True, eq=False)
class SensitivityTemplate(Template):
    """`topk_or_ratio` is a number of rows, or a share of them where it is a float.

    The table is cut first; of the rows left, those about `sensitive_type` (`activation`, `weight`,
    `both`) at `low_precision_dtype` get `high_precision_dtype`. Raises QflowError: QF252 for a cut
    out of range, QF111 for another type, QF250 for names that match nothing.
    """

    sensitive_table: Any
    topk_or_ratio: int | float
    sensitive_type: str = "activation"
    low_precision_dtype: Any = qint8
    high_precision_dtype: Any = qint16

    def __post_init__(self) -> None:
        require_sensitive_type(self.sensitive_type)

    def apply(self, scene: Scene, requests: Requests) -> Applied:
        share = isinstance(self.topk_or_ratio, float)
        topk, ratio = (None, self.topk_or_ratio) if share else (self.topk_or_ratio, None)
        rows = cut(rows_of(self.sensitive_table), topk, ratio)
        rows = of_kind(rows, self.sensitive_type, self.low_precision_dtype)
        wish = Wish(dtype_word(self.high_precision_dtype))
        made = dict(requests)
        found = covered(scene, tuple(dict.fromkeys(r.op_name for r in rows)), "SensitivityTemplate")
        kinds = {(r.op_name, r.sensitive_type) for r in rows}
        tails = high_tails(scene)
        for unit, name in found.by_unit.items():
            by = f"SensitivityTemplate `{name}`"
            if (name, "activation") in kinds and unit not in tails:
                made[unit] = replace(made[unit], output=wish, by=by, named=True)
            if (name, "weight") in kinds:
                made[unit] = replace(made[unit], weight=wish, by=by)
        notes = found.unknown if rows else (no_rows("SensitivityTemplate"),)
        return Applied(made, found.changes, notes)
