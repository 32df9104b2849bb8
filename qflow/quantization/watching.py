"""watching: run a model on examples to see which modules run, how often, and what each reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qflow.plan.inventory import Edge, Inventory, Module
from qflow.quantization.example_inputs import arguments
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.key_names import PARTS
from qflow.tracing import operators

Leaf = Callable[[nn.Module], bool]


@dataclass(frozen=True)
class Watched:
    inventory: Inventory
    """Modules that ran, in order; outputs are called `output.0`, `output.1`, ..."""
    never: tuple[str, ...]
    """Modules that did not run."""
    inputs: Mapping[str, Tensor]
    """The tensors that were passed, by the name they have in the inventory."""


def watch(model: nn.Module, example_inputs: Any, leaf: Leaf | None = None) -> Watched:
    """One forward in evaluation mode with every fake-quantizer off; the model stays as it was.

    `example_inputs` is a tensor, a tuple of positional arguments, or a mapping of arguments by
    name. What the model raises for them is not caught. `leaf` says which modules are looked at;
    without it those without children, and those that carry fake-quantizers.
    """
    args, kwargs = arguments(example_inputs)
    flat = tensors_of(example_inputs)
    names = {m: a for a, m in reversed(list(model.named_modules())) if a and _chosen(a, m, leaf)}
    seen = _Seen(names)
    for name, x in flat.items():
        seen.enter(name, "input", "input", x)
    with quiet(model), torch.no_grad(), seen.hooked():
        result = model(*args, **kwargs)
    for place, x in enumerate(x for _, x in _tensors("", result)):
        seen.leave(f"output.{place}", x)
    never = tuple(a for a in names.values() if a not in seen.modules)
    return Watched(seen.inventory(type(model).__name__), never, flat)


def tensors_of(example_inputs: Any) -> dict[str, Tensor]:
    """Every tensor among them: `input_0`, `input_1_0` for one inside a tuple, or by name."""
    args, kwargs = arguments(example_inputs)
    given = {**{f"input_{i}": x for i, x in enumerate(args)}, **kwargs}
    return {name: x for key, value in given.items() for name, x in _tensors(key, value)}


@contextmanager
def quiet(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode with every fake-quantizer off; afterwards as before."""
    modes = [(m, m.training) for m in model.modules()]
    quantizers = [m for m in model.modules() if isinstance(m, FakeQuantize)]
    states = [(q, q.observing, q.quantizing) for q in quantizers]
    try:
        for module, _ in modes:
            # not `eval()`, which modules may have made their own
            module.training = False
        for quantizer in quantizers:
            quantizer.observing = quantizer.quantizing = False
        yield
    finally:
        for module, training in modes:
            module.training = training
        for quantizer, observing, quantizing in states:
            quantizer.observing, quantizer.quantizing = observing, quantizing


class _Seen:
    """What the hooks gather; tensors are held, so that their identity means something."""

    def __init__(self, names: Mapping[nn.Module, str]) -> None:
        self.names = names
        self.modules: dict[str, Module] = {}
        self.edges: list[Edge] = []
        self.made_by: dict[int, tuple[str, Tensor]] = {}

    def enter(self, address: str, type_: str, op: str, x: Tensor | None) -> None:
        self.modules[address] = Module(address, type_, op, tuple(x.shape) if x is not None else ())
        if x is not None:
            self.made_by[id(x)] = (address, x)

    def leave(self, address: str, x: Tensor) -> None:
        self.enter(address, "output", "output", None)
        if id(x) in self.made_by:
            self.edges.append(Edge(self.made_by[id(x)][0], address, 0))

    def ran(self, module: nn.Module, args: Any, kwargs: Any, result: Any) -> None:
        address = self.names[module]
        read = [self.made_by.get(id(x)) for _, x in _tensors("", (args, kwargs))]
        made = [x for _, x in _tensors("", result)]
        known = self.modules.get(address)
        op = operator_of(module)
        shape = tuple(made[0].shape) if made else ()
        calls = known.calls + 1 if known else 1
        self.modules[address] = Module(address, type(module).__name__, op, shape, calls)
        self.edges += [Edge(r[0], address, slot) for slot, r in enumerate(read) if r]
        self.made_by.update({id(x): (address, x) for x in made})

    @contextmanager
    def hooked(self) -> Iterator[None]:
        handles = [m.register_forward_hook(self._hook, with_kwargs=True) for m in self.names]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _hook(self, module: nn.Module, args: Any, kwargs: Any, result: Any) -> None:
        self.ran(module, args, kwargs, result)

    def inventory(self, model: str) -> Inventory:
        return Inventory(model, tuple(self.modules.values()), tuple(dict.fromkeys(self.edges)))


def operator_of(module: nn.Module) -> str:
    """The operator a module stands for, also where it was made quantized; `unknown`."""
    for cls in type(module).__mro__:
        op = operators.of_class(cls)
        if op is not None:
            return str(op.name)
    return "unknown"


def _chosen(address: str, module: nn.Module, leaf: Leaf | None) -> bool:
    return is_leaf(address, module) if leaf is None else leaf(module)


def is_leaf(address: str, module: nn.Module) -> bool:
    """A module that runs itself: without children, and no part of a fake-quantizer."""
    inside = any(word in PARTS for word in address.split("."))
    return not inside and all(name in PARTS for name, _ in module.named_children())


def _tensors(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of a nested value; those of a tuple are called `<name>_<i>`."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _tensors(f"{name}_{key}" if name else str(key), part)
    elif isinstance(value, (tuple, list)):
        for place, part in enumerate(value):
            yield from _tensors(f"{name}_{place}" if name else str(place), part)


def call_counts(watched: Watched) -> dict[str, int]:
    """How often each module ran, those that never did included."""
    modules = watched.inventory.modules
    ran = Counter({m.address: m.calls for m in modules if m.op not in ("input", "output")})
    return {**ran, **dict.fromkeys(watched.never, 0)}
