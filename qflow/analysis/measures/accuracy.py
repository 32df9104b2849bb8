"""accuracy: top-1 accuracy of one lane, `accuracy(integer) >= 0.95 on val`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from qflow.analysis import lanes
from qflow.analysis.measures import Measure
from qflow.analysis.metrics import accuracy as metric

if TYPE_CHECKING:
    from qflow.analysis.batch import Batch


@dataclass
class Accuracy(Measure):
    counted: metric.Accuracy = field(default_factory=metric.Accuracy)

    forms: ClassVar[str] = "accuracy(LANE)"
    needs_targets: ClassVar[bool] = True
    of_one_lane: ClassVar[bool] = True

    def check(self, args: tuple[str, ...], plan: lanes.Facts) -> tuple[str, ...]:
        return self.wants(args, (1,)) or lanes.unknown(args, plan)

    def update(self, batch: Batch) -> None:
        assert batch.target is not None, "the engine refuses data without targets first"
        self.counted.update(batch.outputs[lanes.lane(self.args[0])], batch.target)

    def result(self) -> float:
        return self.counted.result()
