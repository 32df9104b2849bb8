"""picture: what a plot of a sweep shows, in numbers and words, before anything is drawn."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Literal

from qflow.records import dataclass
from qflow.sweep.outcome import Outcome
from qflow.sweep.results import units, verdict
from qflow.sweep.results.grid import metric_unit
from qflow.sweep.results.objective import Objective
from qflow.sweep.results.pareto import is_measured

Kind = Literal["best", "beaten", "broken"]

_LABELLED = 12
"""With more points than these, only the best have a label."""
_MOST = 60
"""Best points that have a label."""
_LINE = 24
"""Characters of a line of a label."""
_LINES = 3
_NAMED = 4
"""Points that failed and are named; of more, the others are counted."""
_WIDE = 110
"""Characters of a line below the plot."""


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    kind: Kind
    label: str
    """Lines; empty for a point that is not labelled."""


@dataclass(frozen=True)
class Picture:
    title: str
    labels: str
    """Which params the labels of the points are the values of."""
    across: str
    up: str
    """What the axes are, with units."""
    dots: tuple[Dot, ...]
    front: tuple[tuple[float, float], ...]
    """The best points by rising cost."""
    reference: float | None
    """The metric of the float model, of several the best."""
    notes: tuple[str, ...]


def picture(
    name: str, outcomes: Sequence[Outcome], best: Sequence[Outcome], objective: Objective
) -> Picture | None:
    """The points of the program called `name`; None where no point has a place in the plane."""
    shown = [o for o in outcomes if not verdict.is_failed(o) and is_measured(o, objective)]
    if not shown:
        return None
    metric = metric_unit(outcomes, objective)
    cost = units.of_cost(objective.against, map(objective.cost, shown))
    names = {o.name for o in best}
    # of a long front, some all along it
    named = {o.name for o in best[:: -(-len(best) // _MOST) or 1]}

    def place(o: Outcome) -> tuple[float, float]:
        return objective.cost(o) / cost.size, dict(o.metrics)[objective.metric] / metric.size

    dots = []
    for o in shown:
        kind: Kind = "best" if o.name in names else "broken" if o.exit_code else "beaten"
        labelled = o.name in named or len(shown) <= _LABELLED
        dots.append(Dot(*place(o), kind, _label(o) if labelled else ""))
    params = ", ".join(dict.fromkeys(n for o in outcomes for n, _ in o.values))
    better = "" if objective.higher else ", lower is better"
    return Picture(
        title=_short(name, 60),
        labels=_short(f"labels: {params}", 90) if params else "",
        across=f"{units.COSTS[objective.against][0]} ({cost.name})",
        up=f"{_short(objective.metric, 40)}{f' ({metric.name})' if metric.name else ''}{better}",
        dots=tuple(dots),
        front=tuple(map(place, best)),
        reference=_reference(outcomes, objective, metric.size),
        notes=tuple(_notes(outcomes, shown)),
    )


def _reference(outcomes: Sequence[Outcome], objective: Objective, size: float) -> float | None:
    values = [o.metric(f"float.{objective.name}") for o in outcomes]
    known = [v for v in values if v is not None]
    if not known or objective.lane == "float":
        return None
    return (max if objective.higher else min)(known) / size


def _label(outcome: Outcome) -> str:
    """Its values in lines, as many to a line as it takes."""
    lines: list[str] = []
    for _, value in outcome.values:
        text = _short(value, _LINE)
        if lines and len(lines[-1]) + len(text) + 2 <= _LINE:
            lines[-1] += f", {text}"
        else:
            lines.append(text)
    return "\n".join(lines if len(lines) <= _LINES else [*lines[:_LINES], "…"])


def _notes(outcomes: Sequence[Outcome], shown: Sequence[Outcome]) -> Iterator[str]:
    names = {o.name for o in shown}
    failed = [o for o in outcomes if o.name not in names]
    if not failed:
        return
    told = [f"{_short(o.name, 40)} ({_why(o)})" for o in failed[:_NAMED]]
    more = [f"{len(failed) - _NAMED} more"] if len(failed) > _NAMED else []
    yield from wrap(f"not shown: {', '.join([*told, *more])}", _WIDE, break_on_hyphens=False)


def _why(outcome: Outcome) -> str:
    return verdict.word(outcome) if verdict.is_failed(outcome) else "not measured"


def _short(text: str, most: int) -> str:
    """Letters that the font of a plot is sure to have, and not too many of them."""
    plain = "".join(c if " " <= c <= "~" else "?" for c in text)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
