"""objective: what the points of a sweep are compared by: a metric of a lane, against a cost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.records import dataclass
from qflow.sweep.outcome import Outcome
from qflow.sweep.results import direction
from qflow.sweep.results.direction import Direction
from qflow.sweep.results.units import COSTS

LANES = ("integer", "fake_quant", "float")
"""Whose metric is taken where nothing is said: the first that was measured."""


class Costs(Protocol):
    """An outcome, or what `plan.cost.of` tells of a plan."""

    @property
    def bit_operations(self) -> int: ...

    @property
    def weight_bytes(self) -> int: ...


@dataclass(frozen=True)
class Objective:
    metric: str
    """`integer.accuracy`: lane and metric."""
    against: str
    """Field of an outcome: less of it is better."""
    higher: bool = True
    """Whether more of the metric is better."""

    @staticmethod
    def parse(
        text: str | None,
        outcomes: Sequence[Outcome],
        against: str | None = None,
        higher: Direction = direction.own,
    ) -> Objective | None:
        """As `choose`, of a sweep that was run. None where nothing was measured at all."""
        named = dict.fromkeys(name for o in outcomes for name, _ in o.metrics)
        if not named:
            _known_cost(against)
            return None
        return choose(text, against, tuple(named), outcomes, higher)

    def cost(self, outcome: Costs) -> int:
        return int(getattr(outcome, self.against))

    def gain(self, outcome: Outcome) -> float:
        """The metric, turned so that more is better. Raises KeyError where it is not measured."""
        value = dict(outcome.metrics)[self.metric]
        return value if self.higher else -value

    @property
    def lane(self) -> str:
        return self.metric.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Of the metric alone."""
        return self.metric.rpartition(".")[2]


def choose(
    text: str | None,
    against: str | None,
    measured: Collection[str],
    costs: Iterable[Costs],
    higher: Direction = direction.own,
) -> Objective:
    """The objective that `--objective` and `--against` name, or the one taken without them.

    That is the first metric of the integer lane, against bit operations; against weight bytes
    where only these differ. `measured` are the metrics there are, or will be.
    Raises QflowError QF328.
    """
    if text is not None and text not in measured:
        raise _unknown(f"nothing is measured as `{text}`", text, tuple(measured))
    if not measured:
        raise fail(
            Diagnostic(
                "QF328",
                "no point of the sweep measures anything",
                help="write `metric = accuracy` in the data block that the last stage evaluates on",
            )
        )
    _known_cost(against)
    metric = text or min(measured, key=_rank)
    return Objective(metric, against or _cost(costs), higher(metric))


def _rank(name: str) -> int:
    lane = name.partition(".")[0]
    return LANES.index(lane) if lane in LANES else len(LANES)


def _cost(costs: Iterable[Costs]) -> str:
    found = list(costs)
    same_operations = len({c.bit_operations for c in found}) < 2
    same_bytes = len({c.weight_bytes for c in found}) < 2
    return "weight_bytes" if same_operations and not same_bytes else "bit_operations"


def _known_cost(against: str | None) -> None:
    if against is not None and against not in COSTS:
        raise _unknown(f"a sweep has no cost `{against}`", against, tuple(COSTS))


def _unknown(message: str, given: str, known: tuple[str, ...]) -> QflowError:
    near = registry.nearest(given, known)
    listed = f"there is {', '.join(f'`{n}`' for n in known)}" if known else ""
    return fail(
        Diagnostic(
            "QF328",
            message,
            notes=(listed,) if listed else (),
            help=f"did you mean `{near[0]}`?" if near else "",
        )
    )
