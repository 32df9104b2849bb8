"""metric: what a metric says of one lane, `metric(integer) >= 0.4 on val`.

`metric(LANE)` is the metric of the data block; `metric("shop.metrics:MeanIou", LANE)` one of an
entry point, or of ours by its name in quotes. Whoever measures sets `counted`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from qflow.analysis import lanes
from qflow.analysis.measures import Measure

if TYPE_CHECKING:
    from qflow.analysis.batch import Batch


@dataclass
class Metric(Measure):
    counted: Any = None
    """A fresh metric: `update(outputs, target)` and `result()`."""

    forms: ClassVar[str] = 'metric(LANE) or metric("package.module:Class", LANE)'
    needs_targets: ClassVar[bool] = True
    of_one_lane: ClassVar[bool] = True

    @property
    def named(self) -> str | None:
        """The metric the claim names itself; None: that of the data block."""
        return self.args[0] if len(self.args) == 2 else None

    def check(self, args: tuple[str, ...], plan: lanes.Facts) -> tuple[str, ...]:
        return self.wants(args, (1, 2)) or lanes.unknown(args[-1:], plan)

    def update(self, batch: Batch) -> None:
        assert self.counted is not None, "whoever measures brings the metric"
        self.counted.update(batch.outputs[lanes.lane(self.args[-1])], batch.target)

    def result(self) -> float:
        assert self.counted is not None, "whoever measures brings the metric"
        return float(self.counted.result())
