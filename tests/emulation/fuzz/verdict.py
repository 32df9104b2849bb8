"""What a changed file must do: be refused in words, or run alike in both runtimes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path

import numpy as np
import torch

from qflow.diagnostics import QflowError
from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime

REFUSED, RAN, STOPPED, LARGE = "refused", "ran", "stopped", "too large to run here"
CODES = {"QF318", "QF302"}
MOST_VALUES = 1 << 20
"""Per tensor, of a graph that is run here."""
TOP = 10


class Wrong(Exception):
    """The two runtimes differ, or a file is refused with another code."""


def judge(data: bytes, path: Path, seed: int) -> str:
    """What became of a file. Raises Wrong, and whatever else comes up."""
    path.write_bytes(data)
    try:
        graph = file.load(path)
    except QflowError as why:
        codes = {d.code for d in why.diagnostics}
        if not codes <= CODES:
            raise Wrong(f"refused with {codes}") from why
        return REFUSED
    if any(prod(n.output.shape) > MOST_VALUES for n in graph.nodes):
        return LARGE
    inputs = inputs_for(graph, seed)
    slow, quick = in_numpy(graph, inputs), in_torch(graph, inputs)
    if isinstance(slow, str) or isinstance(quick, str):
        if slow != quick:
            raise Wrong(f"NumPy: {_said(slow)}; torch: {_said(quick)}")
        return STOPPED
    for key, value in slow.items():
        if value.shape != graph.by_id[key].output.shape:
            raise Wrong(f"`{key}` has shape {value.shape}")
        if not _same(value, quick[key]):
            raise Wrong(f"`{key}` ({graph.by_id[key].op}) differs")
    return RAN


def inputs_for(graph: IntegerGraph, seed: int) -> dict[str, np.ndarray]:
    """Values of the declared shapes, far beyond the grids too."""
    random = np.random.default_rng(seed)
    found = {}
    for node in (graph.by_id[i] for i in graph.inputs):
        shape = node.output.shape
        if node.output.dtype == "int32":
            found[node.address] = random.integers(0, random.choice((2, TOP)), shape, np.int32)
            continue
        x = random.normal(size=shape) * random.choice((0.1, 1, 1, 3, 1000))
        found[node.address] = x.astype(np.float32)
    return found


def in_numpy(graph: IntegerGraph, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | str:
    """Every node, or the code of the error."""
    keep = [n.id for n in graph.nodes if n.op != "input"]
    try:
        return oracle.run_keeping(graph, inputs, keep)[1]
    except QflowError as why:
        return why.diagnostics[0].code


def in_torch(graph: IntegerGraph, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | str:
    keep = [n.id for n in graph.nodes if n.op != "input"]
    tensors = {k: torch.from_numpy(x.copy()) for k, x in inputs.items()}
    try:
        kept = TorchRuntime(graph).run_keeping(tensors, keep)[1]
    except QflowError as why:
        return why.diagnostics[0].code
    return {k: v.contiguous().numpy() for k, v in kept.items()}


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    # a NaN of a float island is one in both, whatever its bits
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def _said(result: dict[str, np.ndarray] | str) -> str:
    return result if isinstance(result, str) else "runs"
