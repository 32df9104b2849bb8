"""accuracy_drop: what a lane loses against float, `accuracy_drop(integer) <= 0.005 on val`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from qflow.analysis import lanes
from qflow.analysis.measures import Measure
from qflow.analysis.metrics import accuracy as metric

if TYPE_CHECKING:
    from qflow.analysis.batch import Batch

_DECIMALS = 12
"""Shares of whole samples: what lies behind this is noise of the subtraction."""


@dataclass
class AccuracyDrop(Measure):
    """Between 0 and 1; negative when the lane is better than float."""

    before: metric.Accuracy = field(default_factory=metric.Accuracy)
    after: metric.Accuracy = field(default_factory=metric.Accuracy)

    forms: ClassVar[str] = "accuracy_drop(LANE)"
    needs_targets: ClassVar[bool] = True
    of_one_lane: ClassVar[bool] = True

    def check(self, args: tuple[str, ...], plan: lanes.Facts) -> tuple[str, ...]:
        return self.wants(args, (1,)) or lanes.unknown(args, plan)

    def update(self, batch: Batch) -> None:
        assert batch.target is not None, "the engine refuses data without targets first"
        self.before.update(batch.outputs["float"], batch.target)
        self.after.update(batch.outputs[lanes.lane(self.args[0])], batch.target)

    def result(self) -> float:
        return round(self.before.result() - self.after.result(), _DECIMALS)
