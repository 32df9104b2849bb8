"""recording: a prepared model as the plain record that lowering reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor, fx, nn

from qflow.diagnostics import Diagnostic, QflowError
from qflow.quantization import insides
from qflow.quantization.attach import is_planned, output_grid
from qflow.quantization.extent import DEQUANT, SOURCES, Extent
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.feeding import INDEX, Feeding, settled
from qflow.quantization.key_names import INPUT, OUTPUT, WEIGHT
from qflow.quantization.lowest import lowest
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode
from qflow.quantization.probing import probe
from qflow.quantization.unknown_scales import unobserved
from qflow.tracing.call import call_of, operands
from qflow.tracing.folding import alone
from qflow.tracing.fused import Fused


def record(prepared: fx.GraphModule) -> PreparedGraph:
    """Walk the graph in execution order, one node per call; arrays are copies.

    What runs outside of the stubs is left out and listed in `outside`; tensors it hands over become
    inputs, those it takes become outputs. Layout operators behind a dequantize stay. QF401 with
    every address whose scale is not known, QF502 for an operator qflow does not know.
    """
    extent = Extent(prepared.graph, frozenset(n for n in prepared.graph.nodes if _is_left(n)))
    _require_scales(prepared, extent)
    ids: dict[fx.Node, str] = {}
    calls: Counter[str] = Counter()
    here: list[fx.Node] = []
    for node in prepared.graph.nodes:
        if (call := call_of(node)) is None:
            continue
        repeat = calls[call.address]
        calls[call.address] += 1
        ids[node] = f"{call.address}#{repeat}" if repeat else call.address
        if node in extent.inside or node in extent.tails:
            here.append(node)
    _require_operators(here)
    nodes: list[PreparedNode] = []
    probes = probe(prepared)
    feeding = Feeding(ids, frozenset(n for n in here if not _is_input(n)), probes, nodes.append)
    for node in here:
        if _is_input(node):
            feeding.read(node, PreparedNode("", "", "input", ()))
        elif insides.is_kept_whole(node):
            nodes += _inside(prepared, node, feeding)
        else:
            nodes.append(_node(prepared, node, feeding))
    order = {n: i for i, n in enumerate(prepared.graph.nodes)}
    inputs = [made for _, made in sorted(feeding.inputs.values(), key=lambda i: order[i[0]])]
    left = (n for n in extent.outside if n not in feeding.taken)
    return PreparedGraph(
        nodes=(*inputs, *nodes),
        inputs=tuple(n.id for n in inputs),
        outputs=tuple((name, feeding.inner(tensor)) for name, tensor in extent.ends),
        outside=tuple(dict.fromkeys(ids[n].partition("#")[0] for n in left)),
    )


def _is_left(node: fx.Node) -> bool:
    """Whether a plan runs a call on floats."""
    call = call_of(node)
    known = call is not None and call.op not in (DEQUANT, *SOURCES)
    return known and is_planned(node) and output_grid(node).dtype == "float32"


def _is_input(node: fx.Node) -> bool:
    call = call_of(node)
    return call is not None and call.op == "input"


def _inside(prepared: fx.GraphModule, node: fx.Node, feeding: Feeding) -> Iterator[PreparedNode]:
    call = call_of(node)
    assert call is not None
    plain = PreparedNode(feeding.ids[node], call.address, call.op, ())
    whole = replace(plain, inputs=tuple(feeding.read(n, plain) for n in operands(node)))
    module = prepared.get_submodule(call.address)
    yield from insides.of(whole, node, module, feeding.probes, record)


def _node(prepared: fx.GraphModule, node: fx.Node, feeding: Feeding) -> PreparedNode:
    call, probes = call_of(node), feeding.probes
    assert call is not None
    plain = PreparedNode(
        id=feeding.ids[node],
        address=call.address,
        op=call.op,
        inputs=(),
        grid=_output(prepared, node),
        out_dtype=INDEX if probes.is_whole(node) else output_grid(node).dtype,
        shape=call.shape,
        free=probes.free(node),
    )
    if call.op in SOURCES and (made := feeding.entered(node, plain)) is not None:
        return made
    read = operands(node)
    inputs = tuple(feeding.read(n, plain) for n in read)
    plain = replace(plain, inputs=inputs)
    first = read[0] if read else None
    plain = replace(plain, attributes=settled(plain, call, first, probes))
    module = prepared.get_submodule(call.address)
    plain = replace(plain, input_grids=_operand_grids(module))
    if not isinstance(module, Fused):
        return replace(plain, **_parameters(module))
    weight_quantizer = module._modules.get(WEIGHT)
    weight, bias = module.parameters_folded()
    return replace(
        plain,
        weight=_array(weight),
        bias=None if bias is None else _array(bias),
        weight_grid=_grid(weight_quantizer) if weight_quantizer else None,
        activation=module.activation,
        residual=len(inputs) == 2,
    )


def _parameters(module: nn.Module) -> dict[str, Any]:
    """Weight and bias of a normalization, a prelu or an embedding; of a batch norm those that its
    running statistics make of them."""
    if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
        factor, shift = alone(module)
        return {"weight": _array(factor), "bias": _array(shift)}
    found = {n: getattr(module, n, None) for n in ("weight", "bias")}
    return {n: _array(p) for n, p in found.items() if isinstance(p, Tensor)}


def _operand_grids(module: nn.Module) -> tuple[Grid | None, ...]:
    """Grids of the children `activation_pre_process`: one, or one per operand by its number."""
    made = module._modules.get(INPUT)
    if made is None:
        return ()
    if isinstance(made, FakeQuantize):
        return (_grid(made),)
    by_number = {int(name): child for name, child in made.named_children()}
    numbers = range(max(by_number, default=-1) + 1)
    return tuple(_grid(by_number[i]) if i in by_number else None for i in numbers)


def _output(prepared: nn.Module, node: fx.Node) -> Grid | None:
    owner = output_grid(node).owner
    return _grid(prepared.get_submodule(f"{owner}.{OUTPUT}")) if owner else None


def _grid(quantizer: nn.Module) -> Grid:
    assert isinstance(quantizer, FakeQuantize)
    return Grid(
        quantizer.dtype,
        _array(quantizer.scale),
        axis=quantizer.axis,
        lowest=lowest(quantizer.activation_post_process),
        rounding=quantizer.rounding,
    )


def _array(tensor: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    return tensor.detach().cpu().float().numpy().copy()


def _require_operators(here: Sequence[fx.Node]) -> None:
    whole = [n for n in here if insides.is_kept_whole(n)]
    found = [call for n in here if n not in whole and (call := call_of(n)) is not None]
    calls = [call for call in found if call.op == insides.UNKNOWN]
    if calls:
        raise QflowError(
            tuple(
                Diagnostic(
                    "QF502",
                    f"`{c.address}` is no operator qflow knows",
                    notes=(c.detail,) if c.detail else (),
                )
                for c in calls
            )
        )


def _require_scales(prepared: nn.Module, extent: Extent) -> None:
    run = {call.address for n in extent.inside if (call := call_of(n)) is not None}
    if missing := [a for a in unobserved(prepared) if _owner(a, run)]:
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


def _owner(address: str, run: set[str]) -> bool:
    """Whether an address, or a fake-quantizer below one, belongs to what runs."""
    return address in run or any(address.startswith(f"{a}.{INPUT}") for a in run)
