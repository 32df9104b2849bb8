"""integers: an integer graph as a file of an export, and run by the runtime that defines it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qflow.diagnostics import EXIT, Diagnostic, fail
from qflow.emulation import file

if TYPE_CHECKING:
    import numpy as np

    from qflow.emulation.graph import IntegerGraph


@dataclass(frozen=True)
class Runnable:
    graph: IntegerGraph

    @property
    def profile(self) -> str:
        """What it computes in: that of the plan's target."""
        return self.graph.profile

    @property
    def tensors(self) -> Mapping[str, Mapping[str, Any]]:
        """Every node, by its id, as `keep` takes it."""
        return {n.id: {"tensor": n.id} for n in self.graph.nodes}

    def run(
        self, inputs: Mapping[str, np.ndarray], *, keep: Collection[str] = ()
    ) -> dict[str, np.ndarray]:
        """Outputs by name, float32, and the integers of `keep` by id. Raises QflowError QF313."""
        from qflow.emulation.runtimes import numpy as runtime

        outputs, kept = runtime.run_keeping(self.graph, inputs, tuple(keep))
        return outputs | kept


def write(graph: IntegerGraph, path: Path) -> None:
    """Raises QflowError QF316."""
    try:
        file.save(graph, path)
    except OSError as error:
        message = f"`{path}` cannot be written: {error.strerror or error}"
        raise fail(
            Diagnostic("QF316", message, help="name another folder with `--out DIR`"), EXIT.failed
        ) from error


def read(path: Path) -> Runnable:
    """Raises QflowError QF302, QF318."""
    return Runnable(file.load(path))
