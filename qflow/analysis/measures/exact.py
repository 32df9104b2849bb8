"""exact: whether two lanes compute the same integers, `exact(emulator, oracle) == true on val`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from qflow.analysis import lanes
from qflow.analysis.measures import Measure

if TYPE_CHECKING:
    from qflow.analysis.batch import Batch


@dataclass
class Exact(Measure):
    """Emulator and oracle are compared at every tensor of the graph, other lanes at outputs."""

    differences: int = 0

    forms: ClassVar[str] = "exact(LANE, LANE)"
    truth: ClassVar[bool] = True

    def check(self, args: tuple[str, ...], plan: lanes.Facts) -> tuple[str, ...]:
        return self.wants(args, (2,)) or lanes.unknown(args, plan)

    def update(self, batch: Batch) -> None:
        first, second = lanes.pair(self.args[0], self.args[1])
        if {first, second} == {"integer", "oracle"}:
            self.differences += batch.mismatches
            return
        ours, theirs = batch.outputs[first], batch.outputs[second]
        self.differences += sum(int((ours[name] != theirs[name]).sum()) for name in ours)

    def result(self) -> bool:
        return self.differences == 0
