"""eager: `prepare_qat`: fake-quantizers in the user's own model, whose forward stays as it is.

What a forward does with functions has no module and so no scale: that is what FloatFunctional and
`qflow.nn` are for. Operators that only move values carry no fake-quantizer: they stay on the grid
they read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from torch import nn

from qflow.diagnostics import Diagnostic, fail
from qflow.march import March
from qflow.march.current import required
from qflow.plan import op_facts
from qflow.plan.inventory import Inventory, Module
from qflow.plan.plan import Decided, Fixed, ModulePlan, TensorPlan
from qflow.plan.sharing import JOINS
from qflow.quantization.attributes import Attributes, attributes_of, holder
from qflow.quantization.eager_fusion import word_of
from qflow.quantization.eager_trace import functions_left, trace_eager
from qflow.quantization.example_inputs import arguments
from qflow.quantization.factory import fake_quantize_of
from qflow.quantization.facts import Facts, set_facts
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.float_functional import FloatFunctional
from qflow.quantization.key_names import OUTPUT
from qflow.quantization.qconfig import QConfig
from qflow.quantization.quantized import Quantized, quantized
from qflow.quantization.saying import say
from qflow.tracing import operators
from qflow.tracing.fused import CLASSES, Fused, fused, weight_axis
from qflow.tracing.recast import recast, set_module

M = TypeVar("M", bound=nn.Module)
FUNCTIONAL = "float_functional"
"""Stands for the operator of a FloatFunctional, which only a call decides."""


def prepare_qat(
    model: M,
    mapping: Mapping[Any, Any] | None = None,
    inplace: bool = False,
    optimize_graph: bool = False,
    hybrid: bool = False,
    optimize_kwargs: Mapping[str, Any] | None = None,
    example_inputs: Any = None,
    qconfig_setter: Any = None,
    verbose: int = 0,
) -> M:
    """The model with fake-quantizers where `qconfig` attributes want them; see `prepare_eager`.

    The arguments are the field's. Raises QflowError QF268 for those that mean nothing here
    (`mapping`, `optimize_graph`, `hybrid`), rather than to ignore them.
    """
    asked = {"mapping": mapping, "optimize_graph": optimize_graph, "hybrid": hybrid}
    if given := [name for name, value in asked.items() if value]:
        raise fail(
            Diagnostic(
                "QF268",
                f"`{given[0]}` has no meaning here",
                help="leave it out; a module that is to stay float gets `qconfig = None`",
            )
        )
    return prepare_eager(model, example_inputs, qconfig_setter, inplace=inplace)


def prepare_eager(
    model: M,
    example_inputs: Any = None,
    qconfig_setter: QConfig | None = None,
    *,
    example_kw_inputs: Mapping[str, Any] | None = None,
    march: str | March | None = None,
    inplace: bool = False,
) -> M:
    """The model with fake-quantizers as children of its own modules; mode and forward stay.

    A module takes its own `qconfig`, else that of the nearest module around it, else
    `qconfig_setter`; None leaves it float. With example inputs, functions between the stubs that
    eager quantization cannot see are reported (QF267, a warning). Raises QflowError: QF251 without
    a march, QF113 for a qconfig that is none, QF115 when no module has one.
    """
    target = required(march)
    model = model if inplace else deepcopy(model)
    attributes = attributes_of(model)
    if qconfig_setter is not None:
        attributes.setdefault("", _one_for_all(qconfig_setter))
    if all(q is None for q in attributes.values()):
        raise fail(
            Diagnostic(
                "QF115",
                f"no module of `{type(model).__name__}` has a qconfig",
                help="set `model.qconfig = get_default_qat_qconfig()` before you prepare it",
            )
        )
    plans = _swap(model, attributes, target)
    notes: list[Diagnostic] = []
    inventory = _inventory(model, plans)
    if example_inputs is not None or example_kw_inputs:
        args, kwargs = arguments(example_inputs, example_kw_inputs)
        inventory = trace_eager(model, args, kwargs).inventory
        notes += functions_left(inventory)
    say(notes)
    facts = Facts(target.name, inventory, tuple(plans.values()), notes=tuple(notes))
    set_facts(model, facts)
    return model


def operator_name(module: nn.Module) -> str:
    """The operator of a module that eager quantization knows; empty for containers and others."""
    if isinstance(module, FloatFunctional) or word_of(module) == "add":
        return FUNCTIONAL
    op = operators.of_module(module)
    return "" if op is None else str(op.name)


def _one_for_all(setter: Any) -> QConfig:
    if isinstance(setter, QConfig):
        return setter
    raise fail(
        Diagnostic(
            "QF268",
            "setters decide on a graph, which an eager model does not have",
            help="set `qconfig` attributes, or prepare with `PrepareMethod.JIT_STRIP`",
        )
    )


@dataclass
class _Swapping:
    model: nn.Module
    attributes: Attributes
    march: March
    plans: dict[str, ModulePlan] = field(default_factory=dict)
    made: dict[int, nn.Module] = field(default_factory=dict)
    """By identity: a module with two names stays one."""


def _swap(model: nn.Module, attributes: Attributes, march: March) -> dict[str, ModulePlan]:
    """Put quantized modules in place; what was decided, in the order of the model's modules."""
    work = _Swapping(model, attributes, march)
    _visit(work, "", model)
    return work.plans


def _visit(work: _Swapping, address: str, module: nn.Module) -> None:
    # not `named_children`, which leaves out the second name of a module that has two
    for name, child in list(module._modules.items()):
        if child is None:
            continue
        below = f"{address}.{name}" if address else name
        op = operator_name(child)
        if isinstance(child, Quantized):
            continue  # prepared before
        if op:
            _take(work, below, child, op)
        else:
            _visit(work, below, child)


def _take(work: _Swapping, address: str, module: nn.Module, op: str) -> None:
    if id(module) in work.made:
        set_module(work.model, address, work.made[id(module)])
        return
    at = holder(work.attributes, address)
    qconfig = None if at is None else work.attributes[at]
    if qconfig is None:
        return
    plan = _plan(address, module, op, qconfig)
    if plan.act is None and plan.weight is None and op != FUNCTIONAL:
        return
    plain = _plain(module)
    output = None if plan.act is None else fake_quantize_of(plan.act, work.march, address=address)
    weight = _weight(plan.weight, plain, work.march, address)
    made = quantized(plain, output=output, weight=weight, passes=output)
    work.made[id(module)] = made
    work.plans[address] = plan
    set_module(work.model, address, made)


def _plan(address: str, module: nn.Module, op: str, qconfig: QConfig) -> ModulePlan:
    moves = op_facts.shares_scale(op) and op not in JOINS
    act = qconfig.output_plan
    if op == "dequant" or moves or op_facts.gives_indices(op):
        act = None
    scale = getattr(module, "scale", None) if op == "quant" else None
    if act is not None and isinstance(scale, (int, float)):
        act = replace(act, source=Fixed(Decided(float(scale), why="QuantStub(scale=...)")))
    weighted = isinstance(module, Fused) or type(module) in CLASSES
    weight = qconfig.weight_plan(weight_axis(module)) if weighted else None
    return ModulePlan(address, type(module).__name__, op, act, weight, None)


def _plain(module: nn.Module) -> nn.Module:
    """The module in the form that takes fake-quantizers."""
    if type(module) in CLASSES:
        return fused(module)
    if word_of(module) == "add" and not isinstance(module, FloatFunctional):
        made = recast(module, FloatFunctional)
        # torch keeps an identity where the fake-quantizer goes
        made._modules.pop(OUTPUT, None)
        return made
    return module


def _weight(
    plan: TensorPlan | None, module: nn.Module, march: March, address: str
) -> FakeQuantize | None:
    if plan is None:
        return None
    per_channel = plan.axis is not None
    channels = module.get_parameter("weight").shape[plan.axis or 0] if per_channel else 1
    return fake_quantize_of(
        plan, march, address=f"{address}.weight", channels=channels, follows=True
    )


def _inventory(model: nn.Module, plans: Mapping[str, ModulePlan]) -> Inventory:
    """What can be known without a trace: the modules, and not what they read."""
    modules: Sequence[Module] = [Module(p.address, p.type, p.op) for p in plans.values()]
    return Inventory(type(model).__name__, tuple(modules), ())
