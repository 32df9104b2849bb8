"""grid: the points of a sweep as rows of text, for a terminal, a log and a file alike."""

from collections.abc import Sequence

from qflow.records import dataclass
from qflow.sweep import reuse
from qflow.sweep.outcome import Outcome
from qflow.sweep.results import units, verdict
from qflow.sweep.results.objective import Objective
from qflow.sweep.results.units import Unit

BEST = "*"
SAID = 4
"""`spare` of what was said of each point when it ended."""


@dataclass(frozen=True)
class Column:
    name: str
    cells: tuple[str, ...]
    """One per point."""
    unit: str = ""
    right: bool = True
    """Numbers are set flush right."""
    varied: bool = False
    """Whether it is a value of the sweep."""
    spare: int = 0
    """Where there is no room for all, the column with most of this goes first; never with 0."""

    @property
    def head(self) -> str:
        return f"{self.name} {self.unit}".strip()


def columns(
    outcomes: Sequence[Outcome],
    best: Sequence[Outcome],
    objective: Objective | None,
    stages: bool = False,
) -> tuple[Column, ...]:
    """What is told of each point; `stages` adds how many were reused, which two runs differ in."""
    names = {o.name for o in best}
    found = [Column("", tuple(BEST if o.name in names else "" for o in outcomes))]
    found += _varied(outcomes)
    found += _metrics(outcomes, objective)
    for name in units.COSTS:
        taken = objective is None or name == objective.against
        found.append(_cost(name, outcomes, 0 if taken else 1))
    found.append(Column("verdict", tuple(map(verdict.word, outcomes)), right=False))
    if stages and any(o.stages for o in outcomes):
        found.append(Column("reused", tuple(map(_reused, outcomes)), spare=SAID))
    return tuple(c for c in found if any(c.cells) or c.varied)


def _varied(outcomes: Sequence[Outcome]) -> list[Column]:
    params = dict.fromkeys(name for o in outcomes for name, _ in o.values)
    given = [dict(o.values) for o in outcomes]
    found = []
    for param in params:
        cells = tuple(verdict.one_line(values.get(param, "")) for values in given)
        found.append(Column(param, cells, right=all(map(_is_number, cells)), varied=True))
    if not params:
        found.append(Column("point", tuple(o.name for o in outcomes), right=False, varied=True))
    return found


def _metrics(outcomes: Sequence[Outcome], objective: Objective | None) -> list[Column]:
    """The metric in the float lane and in that of the objective, and how much worse this is."""
    if objective is None:
        return []
    unit = metric_unit(outcomes, objective)
    lanes = dict.fromkeys(("float", "integer", objective.lane))
    found = []
    for lane in lanes:
        values = [o.metric(f"{lane}.{objective.name}") for o in outcomes]
        found.append(_numbers(lane, values, unit, 0 if lane == objective.lane else 2))
    lost = [drop(o, objective) for o in outcomes]
    return [*found, _numbers("drop", lost, unit, 3)]


def metric_unit(outcomes: Sequence[Outcome], objective: Objective) -> Unit:
    values = [v for o in outcomes for n, v in o.metrics if n.endswith(f".{objective.name}")]
    return units.of_metric(values, objective.higher)


def drop(outcome: Outcome, objective: Objective) -> float | None:
    """How much worse than float the lane of the objective is; None where one is not measured."""
    before = outcome.metric(f"float.{objective.name}")
    after = outcome.metric(objective.metric)
    if before is None or after is None:
        return None
    # + 0.0: no lane has lost -0.00
    return round(before - after if objective.higher else after - before, 12) + 0.0


def _cost(name: str, outcomes: Sequence[Outcome], spare: int) -> Column:
    values: list[int] = [getattr(o, name) for o in outcomes]
    unit = units.of_cost(name, values)
    # a point that failed early has none
    cells = tuple(unit.show(v) if v else "" for v in values)
    return Column(units.COSTS[name][0].partition(" of ")[0], cells, unit.name, spare=spare)


def _numbers(name: str, values: Sequence[float | None], unit: Unit, spare: int) -> Column:
    return Column(name, tuple(map(unit.show, values)), unit.name, spare=spare)


def _reused(outcome: Outcome) -> str:
    return reuse.told(outcome.stages)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text
    return True
