"""capture: the float model of a finished one as ONNX, the value of every address an output of it.

The exporter of torch names outputs as it is told, so every address is known by a tensor whatever
the exporter calls the rest; `tidy` makes inner tensors of them again, with names of ours.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.diagnostics import Diagnostic, fail
from qflow.export._onnx.packages import need

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import Tensor, fx

    from qflow.tracing.taps import Taps

BATCH = "N"
_MARK = "qflow:value:"
_DTYPES = ("float32", "int64", "int32")


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


def capture(prepared: fx.GraphModule, opset: int, batch: int | None) -> Captured:
    """The model in float with the weights training left, batch norms folded in.

    `batch` None: free. The prepared model itself is used up. Raises QflowError: QF405 without
    onnx, QF502 where torch has no ONNX form of an operator.
    """
    import torch

    from qflow.quantization.states import FakeQuantState, set_fake_quantize
    from qflow.tracing.taps import Tapped

    onnx = need("onnx")
    set_fake_quantize(prepared, FakeQuantState.FLOAT)
    every = Tapped(prepared.eval())
    examples = _examples(prepared, batch)
    with torch.no_grad():
        taps = every.run(*examples.values())
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
    import torch

    from qflow.tracing.call import call_of

    found = {}
    for node in prepared.graph.nodes:
        call = call_of(node)
        if node.op != "placeholder" or call is None:
            continue
        shape = call.shape if batch is None else (batch, *call.shape[1:])
        dtype = call.dtype if call.dtype in _DTYPES else _DTYPES[0]
        found[call.address] = torch.zeros(shape, dtype=getattr(torch, dtype))
    return found


def _outputs(prepared: fx.GraphModule, taps: Taps) -> tuple[tuple[str, str], ...]:
    from qflow.tracing.call import part_of, producer
    from qflow.tracing.inventory import outputs_of

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
