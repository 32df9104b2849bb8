"""attach: fake-quantizers where the plan wants them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import fx, nn

from qflow.march import March
from qflow.plan.fusion import unfused
from qflow.plan.plan import ModulePlan, Plan, Shared
from qflow.quantization.facts import Facts, set_facts
from qflow.quantization.fake_quantize import FakeQuantize, fake_quantize_of
from qflow.quantization.place import places
from qflow.quantization.quantized import quantized
from qflow.tracing import Traced, fuse
from qflow.tracing.call import call_of, calls_of, operands, producer
from qflow.tracing.fused import CLASSES, fused
from qflow.tracing.recast import set_module

_OUTPUT = "qflow.output"


@dataclass(frozen=True)
class OutputGrid:
    """What the plan says of a call's output, kept in the node's `meta`."""

    owner: str | None
    """Address whose fake-quantizer holds the grid; None where there is none."""
    dtype: str
    """int8, int16, int32 (accumulator kept) or float32."""


def prepare_plan(traced: Traced, plan: Plan, march: March) -> fx.GraphModule:
    """The traced model, fused, with fake-quantizers as the plan says; evaluation mode, state float.

    Addresses and the state-dict names of parameters stay. A module of a scale group carries a
    fake-quantizer only if it owns the scale. QF221 when a fusion does not fit the graph.
    """
    module = fuse(traced, plan.fusions)
    attach(module, {m.address: m for m in plan.modules}, march)
    set_facts(module, _facts(traced, plan, march))
    return module


def _facts(traced: Traced, plan: Plan, march: March) -> Facts:
    grids = {m.address: str(m.act.dtype.value) for m in plan.modules if m.act is not None}
    return Facts(
        march=march.name,
        inventory=traced.inventory,
        plans=tuple(m for m in plan.modules if m.absorbed_by is None),
        fusions=plan.fusions,
        unfused=unfused(
            traced.inventory, plan.fusions, march.fuse_add_dtypes, lambda a: grids.get(a, "")
        ),
        notes=traced.notes,
    )


def attach(module: fx.GraphModule, plans: Mapping[str, ModulePlan], march: March) -> None:
    """Put fake-quantizers into a fused graph, in place."""
    known = places(_tensors(module, plans))
    owned = {
        address: fake_quantize_of(plan.act, march, address=address, place=known.get(address))
        for address, plan in plans.items()
        if plan.act is not None and not isinstance(plan.act.source, Shared)
    }
    done: set[str] = set()
    for node in module.graph.nodes:
        if (call := call_of(node)) is None or (plan := plans.get(call.address)) is None:
            continue
        owner = _owner(plan)
        node.meta[_OUTPUT] = OutputGrid(owner, plan.output_dtype)
        if call.address not in done and _has_grids(plan):
            done.add(call.address)
            moves = owner is not None and _lies_on(node, owner, plans)
            _put(module, plan, march, owned, None if moves else owner)
    # a module inside a wrapped method has no node of its own: the method calls it by its address
    verbatim = [p for a, p in plans.items() if a not in done and _has_grids(p)]
    for plan in verbatim:
        _put(module, plan, march, owned, _owner(plan))
    module.eval()


def _tensors(module: fx.GraphModule, plans: Mapping[str, ModulePlan]) -> list[tuple[str, str]]:
    """Address and operator of every call whose output has a grid, in order of execution."""
    calls = [call for node in module.graph.nodes for call in calls_of(node)]
    with_grid = [c for c in calls if (p := plans.get(c.address)) is not None and p.act is not None]
    return [(c.address, c.op) for c in with_grid]


def _put(
    module: fx.GraphModule,
    plan: ModulePlan,
    march: March,
    owned: Mapping[str, FakeQuantize],
    passes: str | None,
) -> None:
    """The module of a plan with its fake-quantizers; `passes` owns the one its output goes by."""
    plain = module.get_submodule(plan.address)
    made = quantized(
        _with_weight_hook(plain),
        output=owned.get(plan.address),
        weight=_weight(plan, plain, march),
        passes=None if passes is None else owned[passes],
        operands=_operands(plan, march),
    )
    set_module(module, plan.address, made)


def _has_grids(plan: ModulePlan) -> bool:
    return plan.act is not None or plan.weight is not None or any(plan.inputs)


def output_grid(node: fx.Node) -> OutputGrid:
    """What the plan says of a call's output; float where it says nothing."""
    found: OutputGrid = node.meta.get(_OUTPUT, OutputGrid(None, "float32"))
    return found


def is_planned(node: fx.Node) -> bool:
    """Whether a plan says anything of a call's output."""
    return _OUTPUT in node.meta


def set_output_grid(node: fx.Node, grid: OutputGrid) -> None:
    """Note what is decided of a call's output, for models that no plan made."""
    node.meta[_OUTPUT] = grid


def _owner(plan: ModulePlan | None) -> str | None:
    """Address that owns the grid of a module's output."""
    if plan is None or plan.act is None:
        return None
    source = plan.act.source
    return source.owner if isinstance(source, Shared) else plan.address


def _lies_on(node: fx.Node, owner: str, plans: Mapping[str, ModulePlan]) -> bool:
    """Whether the output lies on the grid already: data movement between tensors of one scale."""
    call = call_of(node)
    assert call is not None
    sources = [call_of(p) for n in operands(node) if (p := producer(n))]
    return call.shares_scale and all(s and _owner(plans.get(s.address)) == owner for s in sources)


def _weight(plan: ModulePlan, module: nn.Module, march: March) -> FakeQuantize | None:
    if plan.weight is None:
        return None
    axis = plan.weight.axis
    channels = 1 if axis is None else module.get_parameter("weight").shape[axis]
    address = f"{plan.address}.weight"
    return fake_quantize_of(plan.weight, march, address=address, channels=channels, follows=True)


def _operands(plan: ModulePlan, march: March) -> dict[int, FakeQuantize]:
    """Per operand number the grid it is brought to."""
    return {
        slot: fake_quantize_of(operand, march, address=f"{plan.address}.input.{slot}")
        for slot, operand in enumerate(plan.inputs)
        if operand is not None
    }


def _with_weight_hook(module: nn.Module) -> nn.Module:
    """A gemm that nothing was fused into, in the form that takes another weight."""
    return fused(module) if type(module) in CLASSES else module
