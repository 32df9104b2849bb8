"""The fast path: an integer graph in torch, on carriers proved exact for its weights."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qflow.dtype import DTYPES
from qflow.emulation import sizes
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.runtimes._calls import (
    TO_NCHW,
    TO_NHWC,
    calls,
    given,
    last_uses,
    operands_of,
    runs_as_nhwc,
    to_run,
)
from qflow.emulation.runtimes._integers import as_qtensor, sources_of_outputs


@dataclass(frozen=True)
class Carrier:
    """How one node sums."""

    dtype: str
    """`int8`, `float32`, `float32 twice` (int16 inputs as two bytes), `float64` or `int64`.

    `int8 moved`: a zero point is added to the operand. `int8 twice`: it comes in two halves.
    `int8 (_int_mm)`: products of `torch._int_mm` on CUDA, likewise moved or twice.
    """
    bound: int
    """Largest magnitude of any partial sum, from the weights and the operand's range."""
    why: str = ""
    """What made the choice, for people."""


MOST_SIZES = 8
"""Image sizes whose programs are kept ready."""


class TorchRuntime:
    """Runs one graph; constants are prepared once per device.

    Tensors between nodes hold integers in their own dtype, in float32, or in float64 where 24 bits
    do not hold them. Equal to the oracle bit for bit.
    """

    def __init__(self, graph: IntegerGraph) -> None:
        self.graph = graph
        self._calls = calls(graph)
        self._programs: dict[torch.device, tuple[Fast, ...]] = {}
        self._sized: dict[tuple[Any, ...], TorchRuntime] = {}

    @cached_property
    def ranges(self) -> dict[str, Range]:
        """Per node the smallest and largest integer it can hold; (0, 0) for floats."""
        found: dict[str, Range] = {}
        for call in self._calls:
            operands = [found[i] for i in call.node.inputs]
            found[call.node.id] = call.operator.values(call, operands)
        return found

    @cached_property
    def carriers(self) -> dict[str, Carrier]:
        """Per node that sums, its carrier on the CPU."""
        program = self._program(torch.device("cpu"))
        return {
            call.node.id: Carrier(fast.carrier, fast.bound, fast.why)
            for call, fast in zip(self._calls, program, strict=True)
            if fast.bound
        }

    def run(self, inputs: Mapping[str, Any], keep: Collection[str] = ()) -> dict[str, Tensor]:
        """Every output by its name, float32, and every node of `keep` by its id, in its own dtype.

        `inputs` are by input name, tensors or a QTensor on the input's grid, of any batch size, all
        on one device; results are there too. An output goes before a node of its name:
        `run_keeping` tells them apart. Raises QflowError: QF313 for an input that does not fit,
        QF403 for NaN; KeyError for an id the graph does not have.
        """
        outputs, kept = self.run_keeping(inputs, keep)
        return kept | outputs

    def run_keeping(
        self, inputs: Mapping[str, Any], keep: Collection[str]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """As `run`, the outputs and the kept nodes apart."""
        sized = self._at({k: tuple(v.shape) for k, v in inputs.items()})
        if sized is not self:
            return sized.run_keeping(inputs, keep)
        found = given(self.graph, inputs)
        values: dict[str, Tensor] = {k: torch.as_tensor(v) for k, v in found.items()}
        with exact(device_of(values)):
            for _ in self.steps(values, keep):
                pass
        types = {n.id: n.output.dtype for n in self.graph.nodes}
        kept = {k: _integers(values[k], types[k]) for k in keep}
        ends = self.graph.outputs
        return {name: _integers(values[i], types[i]) for name, i in ends}, kept

    def _at(self, shapes: Mapping[str, tuple[int, ...]]) -> TorchRuntime:
        """The runtime for inputs of these sizes, where the graph is made for any; the last ones of
        them are kept."""
        graph = sizes.at(self.graph, shapes)
        if graph is self.graph:
            return self
        key = tuple(sorted((name, shape[1:]) for name, shape in shapes.items()))
        if key not in self._sized:
            self._sized[key] = TorchRuntime(graph)
            for old in [*self._sized][:-MOST_SIZES]:
                del self._sized[old]
        return self._sized[key]

    def run_quantized(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """As `run`, each output a QTensor: the integers its dequantize reads, accumulators too.

        What lies on no grid, whole numbers and floats, comes as a tensor.
        """
        sources = sources_of_outputs(self.graph)
        _, kept = self.run_keeping(inputs, tuple(set(sources.values())))
        types = self.graph.by_id
        return {k: as_qtensor(kept[i], types[i].output) for k, i in sources.items()}

    def run_batches(
        self, batches: Iterable[Mapping[str, Any]], keep: Collection[str] = ()
    ) -> Iterator[dict[str, Tensor]]:
        """`run` for one batch after the other; never more than one of them is held."""
        for inputs in batches:
            yield self.run(inputs, keep)

    def steps(self, values: dict[str, Tensor], keep: Collection[str]) -> Iterator[str]:
        """The id of each node once it is done. Only within `exact`.

        `values` holds the inputs by id; results go there, and leave it after their last use.
        """
        free = last_uses(self.graph, keep)
        device = device_of(values)
        for call, fast in zip(self._calls, self._program(device), strict=True):
            node = call.node
            if to_run(node, values):
                values[node.id] = _run_one(call, fast, operands_of(node, values))
            for source in free[node.id]:
                values.pop(source, None)  # an input that was given as integers is not there
            yield node.id

    def carried(self, device: torch.device) -> dict[str, Fast]:
        """Per node how it is computed on a device."""
        return dict(zip((c.node.id for c in self._calls), self._program(device), strict=True))

    def _program(self, device: torch.device) -> tuple[Fast, ...]:
        if device not in self._programs:
            with np.errstate(over="ignore"):  # carriers are proved with the profile's own floats
                self._programs[device] = tuple(
                    c.operator.fast(c, [self.ranges[i] for i in c.node.inputs], device)
                    for c in self._calls
                )
        return self._programs[device]


def device_of(values: Mapping[str, Tensor]) -> torch.device:
    return next(iter(values.values())).device


@contextmanager
def exact(device: torch.device) -> Iterator[None]:
    """Where nodes are computed: without gradients, and `exact_kernels`."""
    with torch.no_grad(), exact_kernels(device):
        yield


@contextmanager
def exact_kernels(device: torch.device) -> Iterator[None]:
    """Only kernels that multiply and add as written.

    Out go Winograd transforms, which use fractions (NNPACK, cuDNN), products in bfloat16 or TF32
    that the caller may have allowed, and autocast.
    """
    precision = torch.get_float32_matmul_precision()
    if precision != "highest":
        torch.set_float32_matmul_precision("highest")
    try:
        with (
            torch.backends.nnpack.flags(enabled=False),
            torch.backends.cudnn.flags(enabled=False),
            torch.autocast(device.type, enabled=False),
        ):
            yield
    finally:
        if precision != "highest":
            torch.set_float32_matmul_precision(precision)


def _run_one(call: Call, fast: Fast, operands: list[Tensor]) -> Tensor:
    if not runs_as_nhwc(call):
        return fast.run(*operands)
    return fast.run(*[x.permute(TO_NCHW) for x in operands]).permute(TO_NHWC)


def _integers(values: Tensor, dtype: str) -> Tensor:
    return values.to(torch.float32 if DTYPES[dtype].is_float else getattr(torch, dtype))
