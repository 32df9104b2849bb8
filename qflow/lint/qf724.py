"""QF724 (P24): an observer that gets too few steps."""

from collections.abc import Iterator, Mapping

from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.plan.plan import DataSpec, ModulePlan, Observed, Scalar, StagePlan
from qflow.records import dataclass


@dataclass(frozen=True)
class Qf724:
    """Percentile or kl have no result, or a moving average is still at the first batch.

    Why: `update_interval` above the number of steps means that it never updates. A moving average
    with constant c keeps (1 - c) ** steps of the first batch: with 0.01, half after 69 steps.

    How to mend: more steps, or a larger constant; `update_interval` at most the number of steps.

    Anti-pattern:

        data calib { samples = 128; batch = 64 }          # two steps
        qconfig w8 { act.observer = moving_average; act.averaging_constant = 0.01 }

    Best practice:

        data calib { samples = 128; batch = 1 }
        qconfig w8 { act.observer = moving_average; act.averaging_constant = 0.05 }
    """

    share: float = 0.5
    """Largest part of the range that the first batch may still make up."""

    def check(self, unit: Unit) -> Iterator[Diagnostic]:
        data = {d.name: d for d in unit.data}
        for stage in unit.stage_plans:
            observing = [a for a, s in stage.states if s == "calibration"]
            steps = _steps(data.get(stage.data))
            if steps and observing:
                yield from self._stage(unit, stage, steps, frozenset(observing))

    def _stage(
        self, unit: Unit, stage: StagePlan, steps: int, observing: frozenset[str]
    ) -> Iterator[Diagnostic]:
        found: dict[str, list[str]] = {}
        for module in unit.modules:
            if module.address in observing and (why := self._why(_settings(module), steps)):
                found.setdefault(why, []).append(module.address)
        for why, addresses in found.items():
            yield warning(
                "QF724",
                f"`{stage.name}` has {steps} steps: {why}",
                stage.at,
                "give the stage more steps, or change that setting",
                f"this concerns {listed(addresses)}",
            )

    def _why(self, settings: Mapping[str, Scalar], steps: int) -> str:
        interval = settings.get("update_interval", 1)
        if isinstance(interval, int) and interval > steps:
            return f"with update_interval {interval} no range is ever found"
        constant = settings.get("averaging_constant")
        if not isinstance(constant, (int, float)) or constant <= 0:
            return ""
        left = (1 - constant) ** (steps - 1)
        if left <= self.share:
            return ""
        return f"with averaging_constant {constant:g}, {left:.0%} of the range is the first batch's"


def _settings(module: ModulePlan) -> dict[str, Scalar]:
    act = module.act
    if act is None or not isinstance(act.source, Observed):
        return {}
    return {name: decided.value for name, decided in act.source.settings}


def _steps(data: DataSpec | None) -> int:
    """Batches of one pass; 0 where the number of samples is not known."""
    if data is None or data.samples is None:
        return 0
    return -(-data.samples // data.batch)
