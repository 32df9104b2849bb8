"""eager_trace: the graph of an eager model that carries fake-quantizers, with what they decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from torch import fx, nn

from qflow.diagnostics import Diagnostic
from qflow.march import March
from qflow.plan import op_facts
from qflow.plan.inventory import Inventory
from qflow.quantization.attach import OutputGrid, set_output_grid
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.key_names import OUTPUT, WEIGHT
from qflow.quantization.quantized import Quantized
from qflow.quantization.region import between_stubs
from qflow.quantization.states import FakeQuantState, set_fake_quantize
from qflow.tracing.call import call_of, operands, producer
from qflow.tracing.recast import set_module
from qflow.tracing.traced import Traced, trace_call

FLOAT = OutputGrid(None, "float32")


def trace_eager(
    model: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
) -> Traced:
    """Trace a copy of the model on these arguments; quantized modules are calls, not entered.

    Nothing is rounded meanwhile: a trace compares what it found with the model, and it sees what a
    FloatFunctional computes without what its fake-quantizer makes of it.
    """
    plain = deepcopy(model).eval()
    if any(isinstance(m, FakeQuantize) for m in plain.modules()):
        set_fake_quantize(plain, FakeQuantState._FLOAT)
    return trace_call(
        plain,
        tuple(args),
        dict(kwargs or {}),
        input_names=input_names,
        output_names=output_names,
    )


def functions_left(inventory: Inventory) -> tuple[Diagnostic, ...]:
    """QF267 for each function between the stubs that computes and so would need a module."""
    inside = between_stubs(inventory)
    left = [
        m
        for m in inventory.modules
        if m.address in inside
        and m.address.rpartition(".")[2].startswith("_generated_")
        and not (op_facts.shares_scale(m.op) and op_facts.role(m.op) == "shape")
    ]
    return tuple(
        Diagnostic(
            "QF267",
            f"the function `{m.type}` in `{_owner(m.address)}` has no module, so no scale",
            help="write it as a module: FloatFunctional for sums, products and cat, `nn.ReLU`, "
            "or one of `qflow.nn`",
            severity="warning",
        )
        for m in left
    )


def as_prepared(traced: Traced, model: nn.Module, march: March) -> fx.GraphModule:
    """The traced eager model as `record` reads one: every call knows the grid of its output.

    Operators that only move values lie on the grid they read. A convolution or linear that has no
    fake-quantizer and that only a dequantize reads keeps its accumulator, where the march does so.
    """
    graph = traced.module.graph
    _put_back(traced.module, model)
    grids: dict[fx.Node, OutputGrid] = {}
    for node in graph.nodes:
        if (call := call_of(node)) is not None:
            grids[node] = _grid(node, call.address, traced.module, grids)
    if march.tail == "int32":
        for node in graph.nodes:
            if (
                grids.get(node) == FLOAT
                and _rounds_weight(node, traced)
                and _read_by_dequants(node)
            ):
                grids[node] = OutputGrid(None, "int32")
                _carry(node, grids)
    for node, grid in grids.items():
        set_output_grid(node, grid)
    return traced.module


def _put_back(traced: fx.GraphModule, model: nn.Module) -> None:
    """The model's own modules at their addresses: a FloatFunctional was traced as its function."""
    own = dict(model.named_modules(remove_duplicate=False))
    for node in traced.graph.nodes:
        call = call_of(node)
        if call is not None and isinstance(own.get(call.address), Quantized):
            set_module(traced, call.address, own[call.address])


def _grid(
    node: fx.Node, address: str, module: fx.GraphModule, grids: Mapping[fx.Node, OutputGrid]
) -> OutputGrid:
    call = call_of(node)
    assert call is not None
    if call.op in ("input", "dequant"):
        return FLOAT
    own = module.get_submodule(address)._modules.get(OUTPUT)
    if isinstance(own, FakeQuantize):
        return OutputGrid(address, own.dtype.name)
    if not op_facts.shares_scale(call.op):
        return FLOAT
    sources = [s for n in operands(node) if (s := producer(n)) is not None]
    return grids[sources[0]] if sources else FLOAT


def _rounds_weight(node: fx.Node, traced: Traced) -> bool:
    """Whether the call is a convolution or linear with quantized weights."""
    call = call_of(node)
    if call is None or op_facts.role(call.op) != "gemm":
        return False
    return WEIGHT in traced.module.get_submodule(call.address)._modules


def _read_by_dequants(node: fx.Node) -> bool:
    """Whether nothing but dequantizes reads it, identities in between not counted."""
    calls = [call_of(r) for r in node.users]
    return bool(calls) and all(
        c is not None and (c.op == "dequant" or (c.op == "identity" and _read_by_dequants(r)))
        for c, r in zip(calls, node.users, strict=True)
    )


def _carry(node: fx.Node, grids: dict[fx.Node, OutputGrid]) -> None:
    """Identities behind a kept accumulator pass it on."""
    for reader in node.users:
        call = call_of(reader)
        if call is not None and call.op == "identity":
            grids[reader] = grids[node]
            _carry(reader, grids)


def _owner(address: str) -> str:
    return address.rpartition(".")[0] or "the model"
