"""default: high precision outputs, int16 up to a sampling grid, one qconfig for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from qflow.diagnostics import Diagnostic
from qflow.quantization.deciding import Answer, Decision, Setter
from qflow.quantization.high_precision import Tail, note, tails
from qflow.quantization.qconfig import QConfig
from qflow.quantization.scene import Scene

GRID_OPERAND = 1
"""Operand of grid_sample that says where to sample."""


@dataclass(frozen=True)
class DefaultSetter(Setter):
    """Rules in this order: outputs of high precision, sampling grids, everything else."""

    name: str
    rest: QConfig
    """What everything gets that no other rule speaks of, float constants too."""
    wide: QConfig | None = None
    """What everything gets from which a sampling grid is computed; None: no such rule."""
    gemm: QConfig | None = None
    """What convolutions, linears and matmuls get; None: as the rest."""

    def decide(self, scene: Scene, taken: frozenset[str]) -> Answer:
        decisions = {unit: self._decision(scene, unit) for unit in scene.units}
        if self.wide is not None:
            for unit in sampling_grids(scene):
                decisions[unit] = Decision(self.wide, f"{self.name}: grid of a grid_sample")
        notes: list[Diagnostic] = []
        for tail in tails(scene):
            if tail.unit in taken or not scene.listed(tail.unit):
                continue
            if tail.obstacle:
                notes.append(note(tail))
                continue
            decisions[tail.unit] = high(decisions[tail.unit], self.name)
        return Answer(decisions, notes=tuple(notes))

    def _decision(self, scene: Scene, unit: str) -> Decision:
        gemm = self.gemm if self.gemm is not None and scene.is_gemm(unit) else self.rest
        return Decision(gemm, self.name)


def high(decision: Decision, name: str) -> Decision:
    """The same with an output that keeps its accumulator."""
    assert decision.qconfig is not None
    qconfig = replace(decision.qconfig, output=None)
    return Decision(qconfig, f"{name}: high precision output")


def high_tails(scene: Scene) -> frozenset[str]:
    """Units that the first rule speaks of."""
    return frozenset(t.unit for t in tails(scene) if _keeps(scene, t))


def _keeps(scene: Scene, tail: Tail) -> bool:
    return not tail.obstacle and scene.listed(tail.unit)


def sampling_grids(scene: Scene) -> frozenset[str]:
    """Units from which a grid_sample's grid comes, back to the first gemm or stub, those included.

    Int8 would place samples on a raster of 256 positions.
    """
    found: set[str] = set()
    waiting = list(_grid_sources(scene))
    while waiting:
        unit = waiting.pop()
        if unit in found or unit not in scene.units:
            continue
        found.add(unit)
        if not scene.is_gemm(unit) and scene.op(unit) != "quant":
            waiting += scene.reads(unit)
    return frozenset(found)


def _grid_sources(scene: Scene) -> Iterator[str]:
    for unit in scene.units:
        if scene.op(unit) == "grid_sample":
            yield from scene.reads(unit)[GRID_OPERAND : GRID_OPERAND + 1]
