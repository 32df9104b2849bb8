"""cosine: how far a lane's output turns from float's, `cosine(output.logits) >= 0.99`."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from qflow.analysis import lanes
from qflow.analysis.measures import Measure

if TYPE_CHECKING:
    from qflow.analysis.batch import Batch


@dataclass
class Cosine(Measure):
    """Over all elements of the data set taken as one vector; 1 is the same direction."""

    products: float = 0.0
    ours: float = 0.0
    theirs: float = 0.0

    forms: ClassVar[str] = "cosine(output.NAME) or cosine(output.NAME, LANE)"

    def check(self, args: tuple[str, ...], plan: lanes.Facts) -> tuple[str, ...]:
        if problem := self.wants(args, (1, 2)):
            return problem
        outputs = tuple(f"output.{o.name}" for o in plan.model.outputs)
        listed = ", ".join(f"`{o}`" for o in outputs)
        missing = f"`{args[0]}` is no output of the model; outputs are {listed}"
        problems = () if args[0] in outputs else (missing,)
        return (*problems, *lanes.unknown(args[1:], plan))

    def update(self, batch: Batch) -> None:
        import numpy as np

        name = self.args[0].removeprefix("output.")
        lane = lanes.lane(self.args[1]) if len(self.args) > 1 else "integer"
        a = batch.outputs[lane][name].astype(np.float64).ravel()
        b = batch.outputs["float"][name].astype(np.float64).ravel()
        self.products += float(a @ b)
        self.ours += float(a @ a)
        self.theirs += float(b @ b)

    def result(self) -> float:
        """Two outputs that are all 0 point the same way; one alone points nowhere."""
        if self.ours == self.theirs == 0.0:
            return 1.0
        size = sqrt(self.ours) * sqrt(self.theirs)
        return self.products / size if size else 0.0
