"""lanes: one model computed in every way qflow knows, on the same batches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from qflow import registry
from qflow.analysis.batch import Batch
from qflow.analysis.steps import Step
from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.engine import colour, data, prepared
from qflow.engine.reach import steps_of
from qflow.engine.work import CONVERT, EXPORT, INTEGER, Work, last_state
from qflow.quantization import record
from qflow.quantization.prepared import PreparedGraph

Arrays = Mapping[str, np.ndarray]
Lane = Callable[[Arrays], dict[str, np.ndarray]]
RUNTIME_PROFILE = "onnxruntime"
"""Arithmetic of an exported file's runtime, unless what `read` gave names another as `profile`, or
its target does."""

MODELS = ("float", "fake_quant")
"""Lanes that take the model's own inputs; all others take what the finished model does."""


@dataclass
class Lanes:
    """Every lane of a finished model; `run` computes a batch and counts what must agree."""

    prepared: PreparedGraph
    graph: IntegerGraph
    plain: Mapping[str, Lane]
    """Lanes of which only the outputs matter."""
    fast: TorchRuntime
    kept: tuple[str, ...]
    """Nodes that hold integers: all of them are compared."""
    steps: Mapping[str, Step]
    camera: Callable[[Arrays], Arrays]
    """Inputs of the model as the integer graph takes them."""
    wrong: dict[str, int] = field(default_factory=dict)
    """Mismatching integers per node, where there are any."""

    def run(self, batch: data.Batch) -> Batch:
        """One batch through all lanes."""
        given = self.camera(batch.inputs)
        outputs = {
            name: lane(batch.inputs if name in MODELS else given)
            for name, lane in self.plain.items()
        }
        found, integers = self.fast.run_keeping(_tensors(given), self.kept)
        outputs["integer"], emulated = _arrays(found), _arrays(integers)
        outputs["oracle"], exact = oracle.run_keeping(self.graph, given, self.kept)
        total, mismatches = 0, 0
        for node in self.kept:
            differ = int((emulated[node].astype(np.int64) != exact[node].astype(np.int64)).sum())
            total, mismatches = total + exact[node].size, mismatches + differ
            if differ:
                self.wrong[node] = self.wrong.get(node, 0) + differ
        return Batch(outputs, batch.target, total, mismatches, self.steps)


def open_lanes(work: Work) -> Lanes:
    """Load what the stages made. Raises QflowError when an export cannot be run (QF405)."""
    module = prepared.load(work, last_state(work.plan))
    prepared.set_all(module, work, "validation")
    graph = file.load(work.made[CONVERT].folder / INTEGER)
    lanes: dict[str, Lane] = {
        "float": _torch(work.model.traced.module, work),
        "fake_quant": _torch(module, work),
    }
    unlisted = work.plan.target.unlisted
    trained, recorded = record(module), record(colour.deployed(module, work))
    for export in exported(work):
        lanes[export.lane] = export.run
        runtime = TorchRuntime(lower(recorded, work.march, export.profile, unlisted).graph)
        lanes[f"emulator@{export.lane}"] = _emulated(runtime)
    kept = tuple(n.id for n in graph.nodes if n.output.dtype != "float32")
    steps = steps_of(graph, work.march)
    given = partial(colour.camera, work=work)
    return Lanes(trained, graph, lanes, TorchRuntime(graph), kept, steps, given)


@dataclass(frozen=True)
class Exported:
    """An exported file, runnable."""

    lane: str
    profile: str
    runnable: Any
    """What the target's `read` gave."""

    @property
    def run(self) -> Lane:
        return self.runnable.run  # type: ignore[no-any-return]


def exported(work: Work) -> tuple[Exported, ...]:
    """The first export of every target that can be read back."""
    found: dict[str, Exported] = {}
    for export in work.plan.exports:
        target = registry.load("export", export.target)()
        if f"export.{export.target}" in found or not hasattr(target, "read"):
            continue
        lane = f"export.{export.target}"
        path: Path = work.made[EXPORT].folder / export.path
        runnable = target.read(path)
        found[lane] = Exported(lane, _profile(runnable, target), runnable)
    return tuple(found.values())


def _profile(runnable: Any, target: Any) -> str:
    """What computes the file may depend on the file: on its settings, or on its plan's target."""
    own: str = getattr(runnable, "profile", "")
    return own or str(getattr(target, "profile", RUNTIME_PROFILE))


def _torch(module: torch.nn.Module, work: Work) -> Lane:
    def run(inputs: Arrays) -> dict[str, np.ndarray]:
        with torch.no_grad():
            return _arrays(prepared.call(module, inputs, work))

    return run


def _emulated(runtime: TorchRuntime) -> Lane:
    return lambda inputs: _arrays(runtime.run(_tensors(inputs)))


def _tensors(inputs: Arrays) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in inputs.items()}


def _arrays(tensors: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}
