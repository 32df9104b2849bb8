"""networks: every network style through every target that a runtime runs; `python -m` prints the table.

A row is one network in one arithmetic: how many integers of its outputs differ between the runtime
and qflow's oracle-checked emulator of the same profile, on random samples.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from qflow import march as marches
from qflow.diagnostics import QflowError
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.export._model.finished import Finished
from qflow.export.onnx_integer import OnnxInteger
from qflow.export.tflite import Tflite
from qflow.plan.plan import ExportPlan
from tests.emulation.converted import Converted
from tests.emulation.styles import STYLES, converted

SAMPLES = 64
LITERT = ("tflite.reference", "tflite.builtin", "xnnpack")
EXACT = ("mul15", "tosa.single", "tosa.double", "onnxruntime", "onnx.qdq")
TARGETS: Mapping[str, Any] = {"onnx_integer": OnnxInteger, "tflite": Tflite}
RUNTIMES = {"onnx_integer": "onnxruntime", "tflite": "ai_edge_litert"}


@dataclass(frozen=True)
class Row:
    target: str
    network: str
    dtype: str
    profile: str
    operators: int
    compared: int
    mismatches: int
    note: str = ""

    @property
    def runtime(self) -> str:
        name = RUNTIMES[self.target]
        return f"{name.replace('ai_edge_litert', 'LiteRT')} {import_module(name).__version__}"


def graph_for(made: Converted, march: str, profile: str) -> IntegerGraph:
    return lower(made.prepared, marches.load(march), profile, "float").graph


def samples_for(
    graph: IntegerGraph, example: Mapping[str, torch.Tensor], count: int
) -> dict[str, np.ndarray]:
    """Random samples as the example has them, the same every time."""
    chance, found = np.random.default_rng(0), {}
    for id_ in graph.inputs:
        name = graph.by_id[id_].address
        given = example[name].numpy()
        shape = (count, *given.shape[1:])
        if given.dtype.kind == "f":
            found[name] = (chance.normal(size=shape) * given.std() + given.mean()).astype("float32")
        else:
            found[name] = chance.integers(0, given.max() + 1, shape).astype(given.dtype)
    return found


def compared(
    graph: IntegerGraph,
    target: str,
    samples: Mapping[str, np.ndarray],
    folder: Path,
    **settings: Any,
) -> tuple[int, int]:
    """Values of the outputs, and how many differ; a value is one integer times its scale."""
    made = TARGETS[target]()
    path = folder / f"net{made.suffix}"
    made.write(Finished(graph), ExportPlan(target, path.name, tuple(settings.items())), path)
    theirs = made.read(path).run(samples)
    ours = TorchRuntime(graph).run({k: torch.from_numpy(v) for k, v in samples.items()})
    assert set(ours) == set(theirs)
    wrong = sum(int((ours[k].numpy() != theirs[k]).sum()) for k in ours)
    return sum(v.numel() for v in ours.values()), wrong


def rows(
    names: tuple[str, ...] = STYLES, dtypes: tuple[str, ...] = ("int8", "int16")
) -> Iterator[Row]:
    for name in names:
        for dtype in dtypes:
            yield from _rows_of(name, dtype)


def _rows_of(name: str, dtype: str) -> Iterator[Row]:
    for march, target, profiles in (
        ("nash-m", "onnx_integer", EXACT),
        ("tflite", "onnx_integer", LITERT),
        ("tflite", "tflite", LITERT),
    ):
        made, example = converted(name, march, dtype, "float")
        for profile in profiles:
            graph = graph_for(made, march, profile)
            yield _row(graph, target, (name, dtype, profile), samples_for(graph, example, SAMPLES))


def _row(
    graph: IntegerGraph, target: str, of: tuple[str, str, str], samples: Mapping[str, np.ndarray]
) -> Row:
    islands = Counter(n.attributes["op"] for n in graph.nodes if n.op == "island")
    note = ", ".join(f"{count} {op} in floats" for op, count in sorted(islands.items()))
    settings = {"floats": True} if target == "tflite" else {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = compared(graph, target, samples, Path(folder), **settings)
        except QflowError as error:
            first = error.diagnostics[0]
            return Row(
                target, *of, len(graph.nodes), 0, 0, f"refused: {first.message}; {first.notes[0]}"
            )
    return Row(target, *of, len(graph.nodes), *found, note)


def table(found: Iterator[Row]) -> Iterator[str]:
    head = ("target", "network", "dtype", "profile", "nodes", "run by", "compared", "different", "")
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for r in found:
        cells = (r.target, r.network, r.dtype, f"`{r.profile}`", r.operators, r.runtime)
        counts = (f"{r.compared:,}", r.mismatches) if r.compared else ("-", "-")
        yield f"| {' | '.join(map(str, (*cells, *counts, r.note)))} |"


if __name__ == "__main__":
    for line in table(rows(tuple(sys.argv[1:]) or STYLES)):
        print(line, flush=True)
