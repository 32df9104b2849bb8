"""preparing: `prepare`, for Python instead of a .qf file: one QConfig for a whole model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor, fx, nn

from qflow import march as marches
from qflow.diagnostics import Diagnostic, QflowError
from qflow.march import March
from qflow.plan import fusion, sharing
from qflow.plan.inventory import Inventory, Module
from qflow.plan.plan import Decided, Fusion, GraphSpec, ModulePlan, Shared, TensorPlan
from qflow.quantization.attach import attach
from qflow.quantization.qconfig import QConfig
from qflow.tracing import fuse, trace

_GEMMS = ("conv2d", "linear")


def prepare(
    model: nn.Module,
    example_inputs: Mapping[str, Tensor] | Sequence[Tensor] | Tensor,
    qconfig: QConfig | None = None,
    *,
    march: str = "nash-m",
    outputs: Sequence[str] = ("output",),
    graph: GraphSpec | None = None,
) -> fx.GraphModule:
    """Trace, fuse, and fake-quantize everything between the stubs; the model itself is left alone.

    Example inputs have the batch first; without names they are called `input_0` and so on. A
    convolution or linear whose only reader is the dequantize keeps its accumulator, where the march
    does that. Raises QflowError: QF312 to QF314 from the trace, QF501 and QF502 for what the march
    cannot do.
    """
    target = marches.load(march)
    traced = trace(model, _named(example_inputs), tuple(outputs), type(model).__name__, graph)
    chosen = qconfig or QConfig()
    act_dtype = str(chosen.output_plan.dtype.value)
    fusions = fusion.find(traced.inventory, target.fuse_add_dtypes, lambda _: act_dtype)
    plans = _plans(traced.inventory, fusions, chosen, target)
    _require_support(plans, traced.inventory, target)
    module = fuse(traced, fusions)
    attach(module, {p.address: p for p in plans}, target)
    return module


def _named(inputs: Mapping[str, Tensor] | Sequence[Tensor] | Tensor) -> Mapping[str, Tensor]:
    if isinstance(inputs, Mapping):
        return inputs
    values = [inputs] if isinstance(inputs, Tensor) else inputs
    return {f"input_{i}": x for i, x in enumerate(values)}


def _plans(
    inventory: Inventory, fusions: Sequence[Fusion], qconfig: QConfig, march: March
) -> list[ModulePlan]:
    at = {member: f.at for f in fusions for member in f.members}
    gemm_of = {f.at: f.members[0] for f in fusions}
    owner = {a: group[0] for group in sharing.groups(inventory, fusions) for a in group[1:]}
    inside = _between_stubs(inventory)
    kept = _accumulators(inventory, fusions) if march.tail == "int32" else set()
    plans = []
    for module in inventory.modules:
        if module.address not in inside or at.get(module.address, module.address) != module.address:
            continue
        op = inventory.by_address[gemm_of.get(module.address, module.address)].op
        keeps = module.address in kept
        act = None if keeps else _shared(qconfig.output_plan, owner.get(module.address))
        weight = qconfig.weight_plan if op in _GEMMS else None
        out = Decided("int32", why=f"{march.name}: tail") if keeps else None
        plans.append(ModulePlan(module.address, module.type, op, act, weight, out))
    return plans


def _shared(plan: TensorPlan, owner: str | None) -> TensorPlan:
    return plan if owner is None else replace(plan, source=Shared(owner, "scale group"))


def _between_stubs(inventory: Inventory) -> set[str]:
    """What no float tensor reaches: neither an input nor a dequantize without a stub in between."""
    borders = {m.address for m in inventory.modules if m.op in ("input", "dequant", "output")}
    reached = set(borders)
    waiting = list(borders)
    while waiting:
        for user in inventory.users[waiting.pop()]:
            if user not in reached and inventory.by_address[user].op != "quant":
                reached.add(user)
                waiting.append(user)
    return {m.address for m in inventory.modules} - reached


def _accumulators(inventory: Inventory, fusions: Sequence[Fusion]) -> set[str]:
    """Gemms, fused or not, that nothing but a dequantize reads, and the identities in between.

    A fused relu6 clips at a value of its own grid, which an accumulator does not have.
    """
    fused = {f.at: f for f in fusions}
    lives = {member: f.at for f in fusions for member in f.members}
    found: set[str] = set()
    for module in inventory.modules:
        if module.op != "dequant":
            continue
        chain = [inventory.sources[module.address][0]]
        while inventory.by_address[chain[-1]].op == "identity":
            chain.append(inventory.sources[chain[-1]][0])
        alone = all(
            len(inventory.users[a]) == 1 and inventory.by_address[a].calls == 1 for a in chain
        )
        at = lives.get(chain[-1], chain[-1])
        clipped = at in fused and fused[at].pattern[-1] == "relu6"
        if alone and not clipped and (at in fused or inventory.by_address[at].op in _GEMMS):
            found.update((at, *chain[:-1]))
    return found


def _require_support(plans: Sequence[ModulePlan], inventory: Inventory, march: March) -> None:
    problems = [p for plan in plans for p in _problems(plan, inventory.by_address, march)]
    if problems:
        raise QflowError(tuple(problems))


def _problems(plan: ModulePlan, modules: Mapping[str, Module], march: March) -> list[Diagnostic]:
    support = march.support(plan.op)
    if support is None:
        detail = modules[plan.address].detail
        message = f"{march.name} has no operator `{plan.op}`, which `{plan.address}` is"
        return [Diagnostic("QF502", message, notes=(detail,) if detail else ())]
    found = []
    for tensor, allowed in ((plan.act, support.output), (plan.weight, support.weight)):
        if tensor is not None and tensor.dtype.value not in allowed:
            message = (
                f"`{plan.op}` at `{plan.address}` cannot be {tensor.dtype.value} on {march.name}"
            )
            found.append(Diagnostic("QF501", message, notes=(f"it can be {', '.join(allowed)}",)))
    return found
