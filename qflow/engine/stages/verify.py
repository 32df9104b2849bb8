"""verify: every lane over the data the file names: integers against the oracle, exports, claims."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from qflow.analysis.batch import Batch
from qflow.analysis.measures.steps import Steps
from qflow.emulation.graph import IntegerGraph
from qflow.engine import extension, files, reach, scales
from qflow.engine.claimed import Claimed, entries
from qflow.engine.counting import Counter
from qflow.engine.data import DataSet
from qflow.engine.entry import UserCode
from qflow.engine.lanes import Lanes, open_lanes
from qflow.engine.work import (
    CONVERT,
    EXPORT,
    INTEGER,
    LOGICAL,
    STATE,
    VERIFY,
    Stage,
    Work,
    judged_on,
    last_state,
)
from qflow.plan.plan import Plan

RESULTS = "results.json"


def stages(plan: Plan) -> tuple[Stage, ...]:
    reads = [(last_state(plan), STATE), (CONVERT, INTEGER), (CONVERT, LOGICAL)]
    reads += [(EXPORT, "*")] if plan.exports else []
    used = data_of(plan)
    code = tuple(dict.fromkeys((*extension.metric_entries(plan, used), *entries(plan))))
    return (Stage(VERIFY, make, reads=tuple(reads), weights=True, data=used, code=code),)


def data_of(plan: Plan) -> tuple[str, ...]:
    """Data blocks the lanes run over: the one the summary is about first."""
    named = [judged_on(plan), *(c.data for c in plan.claims if c.proved is None)]
    return tuple(dict.fromkeys(name for name in named if name is not None))


def make(work: Work, folder: Path) -> None:
    """Writes `results.json`: what was measured on every data block, and a value for every claim."""
    lanes = open_lanes(work)
    claims: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for name in data_of(work.plan):
        counted = Counted.of(work, name, lanes)
        _over(work, lanes, work.data[name], counted)
        data[name] = counted.results(lanes)
        claims.update(counted.claimed.results())
    for claim in work.plan.claims:
        if claim.measure == scales.SCALE:
            claims[claim.text] = scales.judge(claim, work.plan, lanes.prepared)
    covered = reach.coverage(lanes.graph, work.plan, work.inventory)
    results = {"claims": claims, "coverage": covered, "data": data}
    files.write(folder / RESULTS, json.dumps(results, indent=2, sort_keys=True) + "\n")


def _over(work: Work, lanes: Lanes, data: DataSet, counted: "Counted") -> None:
    lanes.wrong.clear()
    with work.console.progress(VERIFY, len(data), "samples") as step:
        for batch in data.batches():
            answers = lanes.run(batch)
            with UserCode(f"measuring on data `{data.spec.name}`", data.spec.at, "QF315"):
                counted.update(answers)
                counted.claimed.update(answers, batch)
            step.advance(len(batch))
        step.say(
            f"{len(data)} samples of `{data.spec.name}` in {len(lanes.plain) + 2} lanes, "
            f"{counted.integers:,} integers compared"
        )


@dataclass
class Counted:
    """What is counted on one data block while batches pass."""

    claimed: Claimed
    samples: int = 0
    integers: int = 0
    mismatches: int = 0
    same_class: int = 0
    metric: Callable[[], Counter | None] = lambda: None
    """Makes a fresh metric of the data; None where it has none."""
    metric_name: str = ""
    metrics: dict[str, Counter] = field(default_factory=dict)
    """Lane to its metric."""
    classes: int = 1
    """Axis of the first output along which its classes lie."""
    distances: dict[str, tuple[Steps, Steps]] = field(default_factory=dict)
    """Export lane to its distance from the emulator in its own arithmetic, and in the target's."""

    @classmethod
    def of(cls, work: Work, name: str, lanes: Lanes) -> "Counted":
        exports = [lane for lane in lanes.plain if lane.startswith("export.")]
        distances = {e: (Steps(("emulator", e)), Steps(("integer", e))) for e in exports}
        spec = work.data[name].spec
        return cls(
            Claimed(work, name),
            metric=partial(extension.metric_of, name, work),
            metric_name=extension.metric_name(spec.metric or ""),
            classes=_class_axis(lanes.graph),
            distances=distances,
        )

    def update(self, batch: Batch) -> None:
        self.samples += len(next(iter(batch.outputs["integer"].values())))
        self.integers += batch.integers
        self.mismatches += batch.mismatches
        if self.metric_name and batch.target is not None:
            for lane, outputs in batch.outputs.items():
                counter = self.metrics.get(lane) or self.metric()
                assert counter is not None, "a name says that there is a metric"
                self.metrics[lane] = counter
                counter.update(outputs, batch.target)
        for lane, distances in self.distances.items():
            for distance in distances:
                distance.update(batch)
            ours, theirs = batch.outputs["integer"], batch.outputs[lane]
            self.same_class += _agreeing(ours, theirs, self.classes)

    def results(self, lanes: Lanes) -> Mapping[str, Any]:
        """Plain data; lanes of an export have its name without `export.`."""
        exports = {
            lane.removeprefix("export."): {
                "max_steps": same.result(),
                "target_max_steps": target.result(),
                "same_class": self.same_class / (self.samples * len(self.distances)),
            }
            for lane, (same, target) in self.distances.items()
        }
        return {
            "samples": self.samples,
            "metrics": {lane: {self.metric_name: m.result()} for lane, m in self.metrics.items()},
            "oracle": {
                "integers": self.integers,
                "mismatches": self.mismatches,
                "nodes": dict(sorted(lanes.wrong.items())),
            },
            "exports": exports,
        }


def _class_axis(graph: IntegerGraph) -> int:
    """That of a scale per channel, which an accumulator has; else axis 1."""
    node = graph.by_id[graph.outputs[0][1]]
    types = [graph.by_id[i].output for i in node.inputs]
    return next((t.axis for t in types if t.axis is not None), 1)


def _agreeing(ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray], axis: int) -> int:
    """Samples whose first output is largest at the same place along `axis`, everywhere."""
    name, first = next(iter(ours.items()))
    second = theirs[name]
    if first.ndim <= axis:
        return int((first == second).sum())
    same = first.argmax(axis) == second.argmax(axis)
    return int(same.reshape(len(first), -1).all(axis=1).sum())
