"""fusing: apply the plan's fusions to a traced model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise

from torch import fx, nn

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.plan.plan import Fusion
from qflow.tracing.call import call_of, operands, set_call
from qflow.tracing.fused import fused
from qflow.tracing.recast import set_module
from qflow.tracing.traced import Traced
from qflow.tracing.with_bn import MODES, fused_with_bn

Calls = dict[str, list[fx.Node]]
"""Address to the nodes that call it."""


def fuse(traced: Traced, fusions: Collection[Fusion], bn_mode: str = MODES[0]) -> fx.GraphModule:
    """A copy of the traced model in which every fusion is one module at its address.

    Absorbed modules become `nn.Identity` and leave the graph. `bn_mode` is a word of `MODES`: batch
    norms are folded, or kept as the child `bn` of their fusion. In evaluation mode the result
    computes what the model did, up to float32 rounding. QF221 when a fusion does not fit the graph.
    """
    assert bn_mode in MODES, bn_mode
    module = deepcopy(traced.module)
    calls: Calls = {}
    for node in module.graph.find_nodes(op="call_module"):
        calls.setdefault(str(node.target), []).append(node)
    for fusion in fusions:
        _apply(module, fusion, bn_mode, calls)
    module.graph.lint()
    module.recompile()
    return module


def _apply(module: fx.GraphModule, fusion: Fusion, bn_mode: str, calls: Calls) -> None:
    chain = [_only_call(calls, address) for address in fusion.members]
    for node, reader in pairwise(chain):
        if set(node.users) != {reader}:
            raise _refused(fusion, f"the output of `{node.target}` has other readers")
    roles = dict(zip(fusion.pattern, chain, strict=True))
    gemm, last = chain[0], chain[-1]
    if len(gemm.all_input_nodes) != 1 or len(gemm.args) + len(gemm.kwargs) != 1:
        raise _refused(fusion, f"`{gemm.target}` takes more than one argument")
    args = [operands(gemm)[0]]
    if fusion.residual is not None:
        args.append(operands(roles["add"])[fusion.residual])
    made = _module(module, fusion, roles, bn_mode)
    with module.graph.inserting_before(last):
        node = module.graph.call_module(fusion.at, tuple(args))
    node.meta = dict(last.meta)
    set_call(node, _call(fusion, gemm, last))
    last.replace_all_uses_with(node)
    for absorbed in reversed(chain):
        module.graph.erase_node(absorbed)
        del calls[str(absorbed.target)]
        _replace(module, str(absorbed.target), nn.Identity())
    calls[fusion.at] = [node]
    _replace(module, fusion.at, made)


def _replace(root: nn.Module, address: str, made: nn.Module) -> None:
    """Put a module at an address; what lies below it, such as the activation of a batch norm that
    brings its own, stays there."""
    below = root.get_submodule(address)._modules
    for name, child in tuple(below.items()):
        del below[name]
        made._modules.setdefault(name, child)
    set_module(root, address, made)


def _module(
    module: fx.GraphModule, fusion: Fusion, roles: Mapping[str, fx.Node], bn_mode: str
) -> nn.Module:
    gemm = module.get_submodule(fusion.members[0])
    bn = roles.get("bn")
    activation = next((w for w in fusion.pattern if w in ("relu", "relu6")), None)
    if bn is None:
        return fused(gemm, None, activation)
    if fusion.pattern[0] == "linear" and len(_shape(bn)) != 2:
        raise _refused(fusion, "batch norm behind a linear of rank 3 normalizes another axis")
    norm = module.get_submodule(str(bn.target))
    if bn_mode == MODES[0]:
        return fused(gemm, norm, activation)
    return fused_with_bn(bn_mode, gemm, norm, activation)


def _call(fusion: Fusion, gemm: fx.Node, last: fx.Node) -> object:
    call = call_of(gemm)
    assert call is not None
    return replace(call, address=fusion.at, shape=_shape(last))


def _shape(node: fx.Node) -> tuple[int, ...]:
    call = call_of(node)
    assert call is not None
    return call.shape


def _only_call(every: Calls, address: str) -> fx.Node:
    """The node that calls an address, which must run exactly once to be fused."""
    calls = every.get(address, [])
    if len(calls) == 1:
        return calls[0]
    if not calls:
        raise fail(Diagnostic("QF221", f"`{address}` is not called, so it cannot be fused"))
    raise fail(
        Diagnostic(
            "QF221",
            f"`{address}` is called {len(calls)} times, so it cannot be fused",
            help="give each call a module of its own; one module has one scale",
        )
    )


def _refused(fusion: Fusion, reason: str) -> QflowError:
    members = " + ".join(f"`{m}`" for m in fusion.members)
    return fail(Diagnostic("QF221", f"{members} cannot be fused: {reason}"))
