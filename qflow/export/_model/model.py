"""model: the integer model: called as the float model was, computing in integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qflow.diagnostics import EXIT, Diagnostic, fail
from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph, Node
from qflow.emulation.layout import lay_out
from qflow.export._model.call_json import to_json
from qflow.export._model.port import Port, inputs_of, outputs_of
from qflow.export._model.structure import Structure
from qflow.march import load as march_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.runtimes.torch import TorchRuntime

CALL = "qflow.call"
"""Entry of the file's header: the structure of a call."""


@dataclass(frozen=True, eq=False)
class IntegerModel:
    """Immutable. Its tensors are on the CPU; a call computes where its arguments are."""

    graph: IntegerGraph
    """In the layout of the model: images are NCHW."""
    structure: Structure
    name: str = "forward"
    """What the function is called, for whoever compiles it."""
    outside: tuple[str, ...] = ()
    """Addresses of the model that are not part of it; said in `notes` too."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Float tensors as the model takes them, in the form it takes them; the same returned.

        A `QTensor` on the grid of the input's port stands for the floats it means: what it holds
        is not quantized again.
        Every output is dequantized: float32, integers times their scale. Any batch size. Raises
        QflowError: QF313 for arguments that do not fit, QF403 for NaN.
        """
        values = self._runtime.run(self.tensors(args, kwargs))
        return self.structure.returned(values)

    def run_integer(self, *args: Any, **kwargs: Any) -> Any:
        """The same with each output as the integers of its port: int8, int16 or int32."""
        kept = {port.name: port.source for port in self.outputs}
        tensors = self.tensors(args, kwargs)
        _, values = self._runtime.run_keeping(tensors, tuple(set(kept.values())))
        return self.structure.returned({name: values[id_] for name, id_ in kept.items()})

    def run_quantized(self, *args: Any, **kwargs: Any) -> Any:
        """The same with each output as a `QTensor`: the integers of its port and their grid.

        An accumulator has a scale per channel along its axis. What lies on no grid, as indices, is
        a tensor.
        """
        return self.structure.returned(self._runtime.run_quantized(self.tensors(args, kwargs)))

    @cached_property
    def inputs(self) -> tuple[Port, ...]:
        return inputs_of(self.graph)

    @cached_property
    def outputs(self) -> tuple[Port, ...]:
        return outputs_of(self.graph)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """What runs, in order."""
        return self.graph.nodes

    @property
    def march(self) -> str:
        return self.graph.march

    @property
    def profile(self) -> str:
        """How it rescales: a file of `emulation/profiles`."""
        return self.graph.profile

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know: rescales that were put in, what is left out."""
        return self.graph.notes

    @cached_property
    def device_graph(self) -> IntegerGraph:
        """The same integers in the layout of the march; transposes that stay are in its notes."""
        return lay_out(self.graph, march_of(self.march).layout)

    def save(self, path: str | Path) -> None:
        """Write one safetensors file that `qflow.load` reads.

        Raises QflowError: QF269 for a call whose structure cannot be stored, QF316 when the file
        cannot be written.
        """
        path = Path(path)
        text = to_json(self.structure, self.name)
        try:
            file.save(self.graph, path, {CALL: text})
        except OSError as error:
            message = f"`{path}` cannot be written: {error.strerror or error}"
            raise fail(Diagnostic("QF316", message), EXIT.failed) from error

    def tensors(self, args: Any, kwargs: Mapping[str, Any]) -> dict[str, Tensor]:
        """The inputs of the graph by name, of a call's arguments. Raises QflowError QF313."""
        names = {self.graph.by_id[i].address for i in self.graph.inputs}
        tensors = self.structure.tensors(args, kwargs)
        return {name: tensor for name, tensor in tensors.items() if name in names}

    def __repr__(self) -> str:
        ports = ", ".join(f"{p.name}: {p.dtype} {list(p.shape)}" for p in self.outputs)
        return f"IntegerModel({self.march}, {self.profile}, {len(self.nodes)} nodes -> {ports})"

    @cached_property
    def _runtime(self) -> TorchRuntime:
        from qflow.emulation.runtimes.torch import TorchRuntime

        return TorchRuntime(self.graph)
