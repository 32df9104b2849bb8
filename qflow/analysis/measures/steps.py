"""steps: the largest distance of two lanes in output steps, `steps(emulator, export.onnx) <= 1`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from qflow.analysis import lanes
from qflow.analysis.measures import Measure
from qflow.analysis.steps import Distance, Step

if TYPE_CHECKING:
    from qflow.analysis.batch import Batch


@dataclass
class Steps(Measure):
    """The largest distance over all outputs, samples and elements."""

    distances: dict[str, Distance] = field(default_factory=dict)
    sizes: Mapping[str, Step] = field(default_factory=dict)

    forms: ClassVar[str] = "steps(LANE, LANE)"

    def check(self, args: tuple[str, ...], plan: lanes.Facts) -> tuple[str, ...]:
        return self.wants(args, (2,)) or lanes.unknown(args, plan)

    def update(self, batch: Batch) -> None:
        first, second = lanes.pair(self.args[0], self.args[1])
        self.sizes = batch.steps
        for name, ours in batch.outputs[first].items():
            distance = self.distances.setdefault(name, Distance())
            distance.update(ours, batch.outputs[second][name])

    def result(self) -> float:
        return max(d.result(self.sizes[name]) for name, d in self.distances.items())
