"""capture: the float model of a finished one as ONNX, the value of every address an output of it.

The exporter of torch names outputs as it is told, so every address is known by a tensor whatever
the exporter calls the rest; `tidy` makes inner tensors of them again, with names of ours.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.export._onnx.packages import need
from qflow.quantization.states import FakeQuantState, set_fake_quantize
from qflow.tracing.call import call_of, part_of, producer
from qflow.tracing.inventory import outputs_of

if TYPE_CHECKING:
    from onnx import ModelProto

BATCH = "N"
_MARK = "qflow:value:"
_DTYPES = {"float32": torch.float32, "int64": torch.int64, "int32": torch.int32}


@dataclass(frozen=True)
class Captured:
    """An ONNX model whose outputs are the values of all addresses."""

    model: ModelProto
    inputs: tuple[str, ...]
    tensors: dict[str, str]
    """Id to the tensor that is its value, in execution order: an address, `address#1` for its
    second call, `address:0` for the first of several tensors."""
    outputs: tuple[tuple[str, str], ...]
    """What the model returns, in its order: (declared name, id)."""


class _Taps(fx.Interpreter):
    """Runs a graph and keeps a copy of what every call made: what follows may write into it."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.found: dict[str, Tensor] = {}
        self.names: dict[fx.Node, str] = {}
        self._calls: Counter[str] = Counter()

    def run_node(self, n: fx.Node) -> Any:
        made = super().run_node(n)
        call = call_of(n)
        if call is None or n.op == "placeholder":
            return made
        repeat = self._calls[call.address]
        self._calls[call.address] += 1
        name = f"{call.address}#{repeat}" if repeat else call.address
        self.names[n] = name
        if isinstance(made, Tensor):
            self.found[name] = made.clone()
        elif isinstance(made, (tuple, list)):
            parts = {f"{name}:{i}": p for i, p in enumerate(made) if isinstance(p, Tensor)}
            self.found |= {part: value.clone() for part, value in parts.items()}
        return made


class _All(nn.Module):
    """Returns the value of every address."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__()
        self.net = module

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.taps(*inputs).found.values())

    def taps(self, *inputs: Tensor) -> _Taps:
        taps = _Taps(self.net)
        taps.run(*inputs)
        return taps


def capture(prepared: fx.GraphModule, opset: int, batch: int | None) -> Captured:
    """The model in float with the weights training left, batch norms folded in.

    `batch` None: free. The prepared model itself is used up. Raises QflowError: QF405 without
    onnx, QF502 where torch has no ONNX form of an operator.
    """
    onnx = need("onnx")
    set_fake_quantize(prepared, FakeQuantState.FLOAT)
    every = _All(prepared.eval())
    examples = _examples(prepared, batch)
    with torch.no_grad():
        taps = every.taps(*examples.values())
    tensors = {id_: f"{_MARK}{place}" for place, id_ in enumerate(taps.found)}
    free = (*examples, *tensors.values())
    axes = {name: {0: BATCH} for name in free} if batch is None else None
    file = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            # that the exporter is the older one; that sizes become constants, where they are
            warnings.simplefilter("ignore")
            torch.onnx.export(
                every,
                tuple(examples.values()),
                file,
                input_names=list(examples),
                output_names=list(tensors.values()),
                dynamic_axes=axes,
                opset_version=opset,
                dynamo=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError, TypeError) as error:
        raise fail(_impossible(str(error).strip(), opset)) from error
    model = onnx.load_from_string(file.getvalue())
    return Captured(model, tuple(examples), tensors, _outputs(prepared, taps))


def _examples(prepared: fx.GraphModule, batch: int | None) -> dict[str, Tensor]:
    """Zeros of every input."""
    found = {}
    for node in prepared.graph.nodes:
        call = call_of(node)
        if node.op != "placeholder" or call is None:
            continue
        shape = call.shape if batch is None else (batch, *call.shape[1:])
        found[call.address] = torch.zeros(shape, dtype=_DTYPES.get(call.dtype, torch.float32))
    return found


def _outputs(prepared: fx.GraphModule, taps: _Taps) -> tuple[tuple[str, str], ...]:
    found = []
    for name, tensor in outputs_of(prepared.graph).items():
        made = taps.names.get(producer(tensor) or tensor)
        part = part_of(tensor)
        id_ = made if part is None else f"{made}:{part}"
        if id_ in taps.found:
            found.append((name, str(id_)))
    return tuple(found)


def _impossible(why: str, opset: int) -> Diagnostic:
    first = next(iter(why.splitlines()), "")
    return Diagnostic(
        "QF502",
        "torch has no ONNX form of the float model",
        notes=(first,) if first else (),
        help=f"write another `opset` than {opset}, or leave the operator outside of the export",
    )
