"""subject: what lint rules may know of a live model, gathered from its facts and tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from qflow import march as marches
from qflow.march.current import get_march
from qflow.plan.inventory import Inventory
from qflow.plan.subject import ConstantFact, ModuleFact, ScaleFact, State, Subject
from qflow.quantization.facts import Facts, facts_of
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.fingerprint import moved
from qflow.quantization.key_names import WEIGHT
from qflow.quantization.layers import Layer, has_graph
from qflow.tracing.call import call_of
from qflow.tracing.inventory import inventory_of

_STATES: dict[tuple[bool, bool], State] = {
    (False, False): "float",
    (True, False): "calibration",
    (True, True): "qat",
    (False, True): "validation",
}


def subject_of(
    prepared: nn.Module,
    layers: tuple[Layer, ...],
    inventory: Inventory | None = None,
    inputs: Mapping[str, Tensor] | None = None,
    float_model: nn.Module | None = None,
) -> Subject:
    """Everything that can be known of a model; `inventory` is that of a trace made just now."""
    facts = facts_of(prepared)
    if inventory is None and facts is not None and facts.inventory.modules:
        inventory = facts.inventory
    elif inventory is None and has_graph(prepared):
        assert isinstance(prepared, fx.GraphModule)
        inventory = inventory_of(prepared.graph, type(prepared).__name__)
    return Subject(
        inventory=inventory,
        plans=facts.plans if facts else None,
        dtypes={x.address: x.output for x in layers} if any(x.inputs for x in layers) else None,
        fusions=facts.fusions if facts else (),
        unfused=tuple((u.members, u.why) for u in facts.unfused) if facts else None,
        changes=_changes(facts),
        march=facts.march if facts else None,
        tail=marches.load(facts.march).tail if facts else None,
        current_march=get_march(),
        scales=tuple(scale_facts(prepared)),
        modules=tuple(_modules(prepared)),
        constants=tuple(_constants(prepared)),
        input_dtypes=_dtypes(inputs, inventory),
        whole_numbers=facts.whole_numbers if facts else frozenset(),
        moved=moved(prepared),
        shared_with_float=_shared(prepared, float_model),
    )


def _changes(facts: Facts | None) -> tuple[tuple[str, str, str, str, str], ...] | None:
    if facts is None:
        return None
    return tuple((c.address, c.field, c.asked, c.given, c.why) for c in facts.changes)


def scale_facts(prepared: nn.Module) -> Iterator[ScaleFact]:
    """Every fake-quantizer of a model as a rule sees it."""
    for path, module in prepared.named_modules():
        if isinstance(module, FakeQuantize):
            yield scale_fact(path, module)


def scale_fact(path: str, quantizer: FakeQuantize) -> ScaleFact:
    """One fake-quantizer as a rule sees it."""
    scale = quantizer.scale.detach()
    statistics = quantizer.activation_post_process
    address, _, name = path.rpartition(".")
    if name.isdecimal():
        address, name = address.rpartition(".")[0], "input"
    role = (
        "weight"
        if name == WEIGHT
        else "input"
        if name in ("input", "activation_pre_process")
        else "output"
    )
    return ScaleFact(
        path=path,
        address=address,
        role=role,  # type: ignore[arg-type]
        dtype=str(quantizer.dtype),
        low=float(scale.min()),
        high=float(scale.max()),
        observed=quantizer.observed,
        fixed=quantizer.fixed is not None,
        frozen=quantizer.frozen or quantizer.fix_scale,
        learned=isinstance(quantizer.scale, nn.Parameter),
        observer=type(quantizer.observer).__name__,
        state=_STATES[quantizer.observing, quantizer.quantizing],
        training=quantizer.training,
        span=(float(statistics.min_val.min()), float(statistics.max_val.max()))
        if statistics.seen
        else None,
    )


def _modules(prepared: nn.Module) -> Iterator[ModuleFact]:
    for address, module in prepared.named_modules():
        if isinstance(module, FakeQuantize):
            continue
        own = list(module.parameters(recurse=False))
        quantizers = [c for c in module.children() if isinstance(c, FakeQuantize)]
        bn = isinstance(module, _BatchNorm) and module.track_running_stats
        if own or quantizers or bn or not address:
            yield ModuleFact(
                address=address,
                training=module.training,
                trainable=sum(p.requires_grad for p in own),
                parameters=len(own),
                bn=bn,
                states=tuple(_STATES[q.observing, q.quantizing] for q in quantizers),
            )


def _constants(prepared: nn.Module) -> Iterator[ConstantFact]:
    """Tensors and numbers that the graph's operators read beside what flows."""
    if not isinstance(prepared, fx.GraphModule):
        return
    for node in prepared.graph.nodes:
        call = call_of(node)
        if call is None or node.op != "call_module":
            continue
        for value in _leaves((node.args, node.kwargs)):
            name, held = _held(prepared, value)
            largest = _largest(held)
            if largest is not None:
                yield ConstantFact(call.address, name, largest)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


def _held(prepared: fx.GraphModule, value: Any) -> tuple[str, Any]:
    """Name and value of a constant argument."""
    if not isinstance(value, fx.Node):
        return repr(value), value
    if value.op != "get_attr":
        return value.name, None
    found: Any = prepared
    for part in str(value.target).split("."):
        found = getattr(found, part)
    return str(value.target), found


def _largest(value: Any) -> float | None:
    """Largest magnitude of a float tensor or number; None for what is neither."""
    if isinstance(value, float):
        return abs(value)
    if not isinstance(value, Tensor) or not value.is_floating_point() or not value.numel():
        return None
    return float(value.detach().abs().max())


def _dtypes(
    inputs: Mapping[str, Tensor] | None, inventory: Inventory | None
) -> dict[str, str] | None:
    """By the names of the inventory; the tensors stand in the same order."""
    if inputs is None or inventory is None:
        return None
    names = [m.address for m in inventory.modules if m.op == "input"]
    if len(names) != len(inputs):
        names = list(inputs)
    pairs = zip(names, inputs.values(), strict=True)
    return {name: str(x.dtype).removeprefix("torch.") for name, x in pairs}


def _shared(prepared: nn.Module, float_model: nn.Module | None) -> tuple[str, ...] | None:
    if float_model is None:
        return None
    theirs = {p.data_ptr() for p in _tensors(float_model)}
    return tuple(n for n, p in prepared.named_parameters() if p.data_ptr() in theirs and p.numel())


def _tensors(model: nn.Module) -> Iterator[torch.Tensor]:
    yield from model.parameters()
    yield from model.buffers()
