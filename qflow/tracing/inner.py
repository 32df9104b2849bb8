"""inner: the modules that run inside a call which is kept whole, as an example shows them.

A wrapped method, or a module of a wrapped class, is one node. What it calls has addresses of its
own all the same, and is quantized there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode

from qflow.tracing import operators
from qflow.tracing.leaves import is_wrapped
from qflow.tracing.methods import MethodCall

RAN = "qflow.ran"
"""Key in `node.meta`: `Ran` of a node that is kept whole."""

Origin = str | int
"""Address of a module inside, or position of a tensor operand of the call."""


@dataclass(frozen=True)
class Step:
    """One run of a module inside."""

    address: str
    shape: tuple[int, ...]
    sources: tuple[tuple[Origin, ...], ...]
    """Per tensor operand."""


@dataclass
class Ran:
    steps: list[Step] = field(default_factory=list)
    reads: set[Origin] = field(default_factory=set)
    """What the code of the method itself read or returned."""


def run(module: nn.Module, node: fx.Node, args: Any, kwargs: Any, call: Callable[[], Any]) -> Any:
    """Run a node; where it is kept whole, note in its `meta` what runs inside."""
    whole = _whole(module, node)
    if whole is None:
        return call()
    # a method's first argument is what its `self` is made of
    operands = _tensors((args[1:] if isinstance(whole, MethodCall) else args, kwargs))
    watch = _Watch(module, whole, operands)
    with watch.modules(), watch:
        result = call()
    watch.read(_tensors(result))
    node.meta[RAN] = watch.ran
    return result


def ran(node: fx.Node) -> Ran:
    found: Ran = node.meta.get(RAN, Ran())
    return found


def _whole(module: nn.Module, node: fx.Node) -> Any | None:
    if node.op == "call_module":
        found = module.get_submodule(str(node.target))
        return found if is_wrapped(found) else None
    return node.target if isinstance(node.target, MethodCall) else None


class _Watch(TorchFunctionMode):
    """Where every tensor comes from while one call runs."""

    def __init__(self, module: nn.Module, whole: Any, operands: Iterator[Tensor]) -> None:
        super().__init__()
        self.ran = Ran()
        self._whole = whole
        self._addresses = {id(m): name for name, m in module.named_modules() if name}
        self._origins: dict[int, tuple[Tensor, frozenset[Origin]]] = {}
        for i, x in enumerate(operands):
            self._set([x], frozenset({i}))

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        inputs = list(_tensors((args, named)))
        result = function(*args, **named)
        outputs = list(_tensors(result))
        if outputs:
            self.read(inputs)
            self._set(outputs, self._of(inputs))
        return result

    def read(self, tensors: Any) -> None:
        self.ran.reads |= self._of(tensors)

    def _of(self, tensors: Any) -> frozenset[Origin]:
        known = [self._origins[id(x)][1] for x in tensors if id(x) in self._origins]
        return frozenset().union(*known)

    def _set(self, tensors: Any, origins: frozenset[Origin]) -> None:
        for x in tensors:
            self._origins[id(x)] = (x, origins)

    @contextmanager
    def modules(self) -> Iterator[None]:
        original = nn.Module.__call__

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            address = self._addresses.get(id(module))
            if module is self._whole or address is None or not _is_step(module):
                return original(module, *args, **kwargs)
            sources = tuple(tuple(sorted(self._of([x]), key=str)) for x in _tensors((args, kwargs)))
            with torch._C.DisableTorchFunction():
                result = original(module, *args, **kwargs)
            outputs = list(_tensors(result))
            shape = tuple(outputs[0].shape) if outputs else ()
            self.ran.steps.append(Step(address, shape, sources))
            fresh = _fresh(result, {id(x) for x in _tensors((args, kwargs))})
            self._set(_tensors(fresh), frozenset({address}))
            return fresh

        nn.Module.__call__ = call  # type: ignore[method-assign]
        try:
            yield
        finally:
            nn.Module.__call__ = original  # type: ignore[method-assign]


def _is_step(module: nn.Module) -> bool:
    """Operators, and modules of torch that hold no others."""
    of_torch = type(module).__module__.startswith("torch.")
    return operators.of_module(module) is not None or (
        of_torch and not any(True for _ in module.children())
    )


def _fresh(result: Any, inputs: set[int]) -> Any:
    """A module that hands on what it was given, such as a stub, makes a tensor of its own."""
    return result.detach() if isinstance(result, Tensor) and id(result) in inputs else result


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)
