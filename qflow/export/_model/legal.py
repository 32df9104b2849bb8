"""legal: what `export` refuses before any work: no fake-quantizers, a wrong mode or state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qflow.diagnostics import Diagnostic, QflowError, fail

if TYPE_CHECKING:
    from torch import nn

    from qflow.quantization.prepared import PreparedGraph

_SHOWN = 6


def require_prepared(model: nn.Module) -> None:
    """Raises QflowError QF260 for a model without fake-quantizers: it would be a float export."""
    from qflow.quantization.fake_quantize import FakeQuantize

    if not any(isinstance(m, FakeQuantize) for m in model.modules()):
        raise fail(
            Diagnostic(
                "QF260",
                f"`{type(model).__name__}` has no fake-quantizers, so there are no integers in it",
                help="prepare and calibrate it, and export the model that `prepare` returned",
            )
        )


def require_validation(model: nn.Module) -> None:
    """Raises QflowError QF261 unless the model is in eval mode and every state is VALIDATION."""
    from qflow.quantization.fake_quantize import FakeQuantize

    if model.training:
        raise fail(
            Diagnostic(
                "QF261",
                "the model is in training mode",
                help="call `model.eval()`, then set VALIDATION with `set_fake_quantize`",
            )
        )
    wrong = [
        address
        for address, m in model.named_modules()
        if isinstance(m, FakeQuantize) and (m.observing or not m.quantizing)
    ]
    if wrong:
        raise fail(
            Diagnostic(
                "QF261",
                "the fake-quantizers are not in the state VALIDATION",
                notes=(f"these are not: {_listed(wrong)}",),
                help="`set_fake_quantize(model, FakeQuantState.VALIDATION)` on the whole model",
            )
        )


def require_integers(graph: PreparedGraph) -> None:
    """Raises QflowError QF262 with every operator between the stubs that stays float."""
    # a module that runs several times is named once
    floats = {
        n.address: n
        for n in graph.nodes
        if n.op not in ("input", "dequant")
        and n.out_dtype == "float32"
        and not _behind(graph, n.id)
    }
    if floats:
        raise QflowError(
            tuple(
                Diagnostic(
                    "QF262",
                    f"`{n.address}` ({n.op}) is between the stubs and stays float",
                    help="give it a qconfig, or move it behind the dequantize",
                )
                for n in floats.values()
            )
        )
    if not any(n.op == "quant" for n in graph.nodes):
        raise fail(
            Diagnostic(
                "QF262",
                "the model has no QuantStub, so nothing in it runs in integers",
                help="put a QuantStub behind every input and a DeQuantStub before every output",
            )
        )


def _behind(graph: PreparedGraph, id_: str) -> bool:
    """Whether a node hangs on a dequantize by layout operators alone."""
    by_id = {n.id: n for n in graph.nodes}
    node = by_id[id_]
    while len(node.inputs) == 1 and node.out_dtype == "float32":
        node = by_id[node.inputs[0]]
        if node.op == "dequant":
            return True
    return False


def _listed(addresses: Sequence[str]) -> str:
    shown = ", ".join(f"`{a}`" for a in addresses[:_SHOWN])
    more = len(addresses) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
