"""Measures: what a claim may ask of the finished model; one file each, named in a `check` block.

Each class inherits from `Measure`; it is made with the claim's words, `Steps(("a", "b"))`.
`check(args, plan)` gives a sentence for each thing wrong with them and runs nothing;
`update(batch)` and `result()` measure, batch by batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from qflow.analysis.lanes import Facts

if TYPE_CHECKING:
    from qflow.analysis.batch import Batch


@dataclass
class Measure:
    """A quantity of the finished model."""

    args: tuple[str, ...] = ()
    """Words between the parentheses of the claim."""

    forms: ClassVar[str] = ""
    """How it is written, for messages: `accuracy_drop(LANE)`."""
    of_one_lane: ClassVar[bool] = False
    """Whether a lane is all it needs: `accuracy(float)`, which may be written `float.accuracy`."""
    truth: ClassVar[bool] = False
    """Whether its result is `true` or `false`, not a number."""

    def check(self, args: tuple[str, ...], plan: Facts) -> tuple[str, ...]:
        """Sentences, lower case and without full stop; none when the words are fine."""
        raise NotImplementedError

    def update(self, batch: Batch) -> None:
        """Take one batch in."""
        raise NotImplementedError

    def result(self) -> float | bool:
        """The value the claim compares."""
        raise NotImplementedError

    def wants(self, args: tuple[str, ...], counts: tuple[int, ...]) -> tuple[str, ...]:
        """A sentence when the number of words is not one of `counts`."""
        return () if len(args) in counts else (f"this measure is written `{self.forms}`",)
