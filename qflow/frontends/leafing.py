"""leafing: from the calls of a file to a module: who made exactly one call is a module of torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from qflow.frontends.forms import FORMS, Form
from qflow.frontends.imported import Held, Imported, Step, hold, put
from qflow.frontends.recipe import Call, Recipe

_TORCH = ("torch.nn.", "__torch__.torch.nn.")


@dataclass(frozen=True)
class _Leaf:
    module: nn.Module
    tensors: Mapping[str, str]
    """Name in the module to address in the file."""


def finished(recipe: Recipe) -> Imported:
    """The module, in evaluation mode, with every parameter and buffer that a call reads."""
    root = Imported(recipe.inputs)
    leaves = _leaves(recipe)
    made: dict[str, Tensor] = {}
    # who comes first is above the others
    for address in sorted(leaves):
        leaf = leaves[address]
        put(root, address, leaf.module)
        for name, source in leaf.tensors.items():
            made[source] = _set(leaf.module, name, made.get(source, recipe.tensors[source]))
    root.steps = tuple(_step(call, leaves) for call in recipe.calls)
    for address in sorted(_read(root.steps)):
        tensor = made.get(address, recipe.tensors[address])
        hold(root, address, tensor, address in recipe.trainable)
    root.outputs = recipe.outputs
    return root.eval()


def _leaves(recipe: Recipe) -> dict[str, _Leaf]:
    """Modules by address: those that made nothing but calls of one form."""
    made: dict[str, list[Call]] = defaultdict(list)
    for call in recipe.calls:
        made[call.owner.address].append(call)
    above = {a[:i] for a in made for i in range(len(a)) if a[i] == "."}
    found: dict[str, _Leaf] = {}
    for address, calls in made.items():
        if not address or address in above or address in recipe.inputs:
            continue
        leaf = _leaf(calls, recipe)
        if leaf is not None:
            found[address] = leaf
    return found


def _leaf(calls: list[Call], recipe: Recipe) -> _Leaf | None:
    first = calls[0]
    form = FORMS.get(first.target) if not first.method else None
    of_torch = first.owner.cls.startswith(_TORCH)
    if form is None or not (of_torch or (recipe.guesses and not first.owner.cls)):
        return None
    if any((c.target, c.kwargs) != (first.target, first.kwargs) for c in calls[1:]):
        return None
    if any(len(c.args) != 1 for c in calls):
        return None
    return _made(first, form, recipe.tensors, of_torch)


def _made(call: Call, form: Form, tensors: Mapping[str, Tensor], of_torch: bool) -> _Leaf | None:
    named = {n: v.address for n, v in call.kwargs.items() if isinstance(v, Held)}
    settings = {n: v for n, v in call.kwargs.items() if not isinstance(v, Held) and v is not None}
    if not set(named) <= set(form.names) or not _plain(list(settings.values())):
        return None
    cls = call.owner.cls.rpartition(".")[2]
    held = {n: tensors[a] for n, a in named.items()}
    if any(not t.numel() for t in held.values()):
        return None
    try:
        module = form.make(cls, held, settings)
    except (TypeError, ValueError):
        # settings that only the function takes
        return None
    if module is None or (of_torch and type(module).__name__ != cls):
        return None
    return _Leaf(module, named)


def _plain(values: list[Any]) -> bool:
    """Whether nothing is the result of another call."""
    return all(
        _plain(list(v)) if isinstance(v, (list, tuple)) else isinstance(v, (bool, int, float, str))
        for v in values
    )


def _set(module: nn.Module, name: str, tensor: Tensor) -> Tensor:
    """Registered as the module has it; one tensor of the file stays one."""
    if name not in module._parameters:
        module.register_buffer(name, tensor)
        return tensor
    parameter = tensor if isinstance(tensor, nn.Parameter) else nn.Parameter(tensor)
    module.register_parameter(name, parameter)
    return parameter


def _step(call: Call, leaves: Mapping[str, _Leaf]) -> Step:
    if call.owner.address in leaves:
        return Step(call.owner.address, call.owner.address, call.args)
    return Step(call.owner.address, call.target, call.args, tuple(call.kwargs.items()), call.method)


def _read(steps: tuple[Step, ...]) -> set[str]:
    """Addresses of the tensors that functions read."""
    found: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, Held):
            found.add(value.address)
        elif isinstance(value, (list, tuple)):
            for item in value:
                look(item)

    for step in steps:
        look(step.args)
        look([v for _, v in step.kwargs])
    return found
