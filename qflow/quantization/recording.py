"""recording: a prepared model as the plain record that lowering reads."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from torch import Tensor, fx, nn

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.quantization.attach import output_grid
from qflow.quantization.check import unobserved
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode
from qflow.quantization.quantized import OUTPUT, WEIGHT
from qflow.tracing.call import Call, call_of, operands, producer
from qflow.tracing.fused import FusedConv2d, FusedLinear
from qflow.tracing.inventory import outputs_of


def record(prepared: fx.GraphModule) -> PreparedGraph:
    """Walk the graph in execution order, one node per call; arrays are copies.

    QF401 with every address whose scale is not known, QF502 for an operator qflow does not know.
    """
    _require_scales(prepared)
    ids: dict[fx.Node, str] = {}
    calls: Counter[str] = Counter()
    nodes: list[PreparedNode] = []
    for node in prepared.graph.nodes:
        if (call := call_of(node)) is None:
            continue
        repeat = calls[call.address]
        calls[call.address] += 1
        ids[node] = f"{call.address}#{repeat}" if repeat else call.address
        nodes.append(_node(prepared, node, call, ids))
    outputs = {name: producer(node) for name, node in outputs_of(prepared.graph).items()}
    return PreparedGraph(
        nodes=tuple(nodes),
        inputs=tuple(n.id for n in nodes if n.op == "input"),
        outputs=tuple((name, ids[node]) for name, node in outputs.items() if node),
    )


def _node(
    prepared: fx.GraphModule, node: fx.Node, call: Call, ids: dict[fx.Node, str]
) -> PreparedNode:
    if call.op == "unknown":
        raise fail(
            Diagnostic(
                "QF502", f"`{call.address}` is no operator qflow knows", notes=(call.detail,)
            )
        )
    sources = [producer(n) for n in operands(node)]
    # an operator with a constant operand is `unknown` since the trace
    inputs = tuple(ids[s] for s in sources if s is not None)
    plain = PreparedNode(
        id=ids[node],
        address=call.address,
        op=call.op,
        inputs=inputs,
        attributes=dict(call.attributes),
        grid=_output(prepared, node),
        out_dtype=output_grid(node).dtype,
        shape=call.shape,
    )
    module = None if call.op == "input" else prepared.get_submodule(call.address)
    if not isinstance(module, (FusedConv2d, FusedLinear)):
        return plain
    weight_quantizer = module._modules.get(WEIGHT)
    return PreparedNode(
        **{
            **vars(plain),
            "weight": _array(module.weight),
            "bias": None if module.bias is None else _array(module.bias),
            "weight_grid": _grid(weight_quantizer) if weight_quantizer else None,
            "activation": module.activation,
            "residual": len(inputs) == 2,
        }
    )


def _output(prepared: nn.Module, node: fx.Node) -> Grid | None:
    owner = output_grid(node).owner
    return _grid(prepared.get_submodule(f"{owner}.{OUTPUT}")) if owner else None


def _grid(quantizer: nn.Module) -> Grid:
    assert isinstance(quantizer, FakeQuantize)
    return Grid(quantizer.dtype, _array(quantizer.scale), axis=quantizer.axis)


def _array(tensor: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    return tensor.detach().cpu().float().numpy().copy()


def _require_scales(prepared: nn.Module) -> None:
    if missing := unobserved(prepared):
        raise QflowError(
            tuple(
                Diagnostic(
                    "QF401",
                    f"no data ever reached the observer of `{address}`",
                    help="run a calibration stage over it; its scale is not known",
                )
                for address in missing
            )
        )
