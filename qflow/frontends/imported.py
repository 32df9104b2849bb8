"""imported: a model as the steps a file lists, which runs and is traced like any other module."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from qflow.tracing import blocks


@dataclass(frozen=True)
class Value:
    """The result of a step, or an input of the model."""

    index: int


@dataclass(frozen=True)
class Held:
    """A parameter or buffer, by its dotted name."""

    address: str


@dataclass(frozen=True)
class Step:
    """One call. A function is made by the module `owner`; a module is called at its own address."""

    owner: str
    target: str | Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...] = ()
    method: bool = False
    """`target` is the name of a method of the first argument."""


class Imported(nn.Module):
    """Takes the inputs in the order of the file, returns a tensor, or a tuple of several."""

    def __init__(self, inputs: tuple[str, ...]) -> None:
        super().__init__()
        self.inputs = inputs
        """Names of the inputs, in order."""
        self.steps: tuple[Step, ...] = ()
        """Value `n` is input `n`; behind the inputs, step by step, the results."""
        self.outputs: tuple[Value, ...] = ()
        self.parity = ""
        """How far it was found to be from its file."""

    def forward(self, *inputs: Tensor) -> Any:
        values: list[Any] = list(inputs)
        for step in self.steps:
            args, kwargs = self._filled(step.args, values), self._filled(dict(step.kwargs), values)
            values.append(self._run(step, args, kwargs))
        found = tuple(values[o.index] for o in self.outputs)
        return found[0] if len(found) == 1 else found

    def _run(self, step: Step, args: Any, kwargs: Any) -> Any:
        if isinstance(step.target, str) and not step.method:
            return self.get_submodule(step.target)(*args, **kwargs)
        trace = blocks.current()
        # whoever traces wants to know whose forward it is
        with trace.inside(step.owner) if trace is not None else nullcontext():
            if isinstance(step.target, str):
                return getattr(args[0], step.target)(*args[1:], **kwargs)
            return step.target(*args, **kwargs)

    def _filled(self, value: Any, values: list[Any]) -> Any:
        if isinstance(value, Value):
            return values[value.index]
        if isinstance(value, Held):
            owner, _, name = value.address.rpartition(".")
            return getattr(self.get_submodule(owner), name)
        if isinstance(value, (list, tuple)):
            return type(value)(self._filled(v, values) for v in value)
        if isinstance(value, dict):
            return {k: self._filled(v, values) for k, v in value.items()}
        if isinstance(value, slice):
            parts = (value.start, value.stop, value.step)
            return slice(*(self._filled(p, values) for p in parts))
        return value


def put(root: nn.Module, address: str, module: nn.Module) -> None:
    """Register a module below `root`, with empty modules above it where there are none."""
    owner, name = _made(root, address)
    for inner, below in owner._modules.get(name, nn.Module()).named_children():  # type: ignore[union-attr]
        module.add_module(inner, below)
    owner.add_module(name, module)


def hold(root: nn.Module, address: str, tensor: Tensor, trainable: bool) -> None:
    """Register a parameter or a buffer below `root`."""
    owner, name = _made(root, address)
    if name in owner._parameters or name in owner._buffers:
        # a module has it already
        return
    if trainable and tensor.is_floating_point():
        parameter = tensor if isinstance(tensor, nn.Parameter) else nn.Parameter(tensor)
        owner.register_parameter(name, parameter)
    else:
        owner.register_buffer(name, tensor)


def tensors_in(values: Iterable[Any]) -> list[Value]:
    """Every `Value` in nested arguments, in order."""
    found: list[Value] = []
    for value in values:
        if isinstance(value, Value):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += tensors_in(value)
        elif isinstance(value, slice):
            found += tensors_in((value.start, value.stop, value.step))
    return found


def _made(root: nn.Module, address: str) -> tuple[nn.Module, str]:
    """The module that holds the last part of an address, and that part."""
    *above, name = address.split(".")
    owner = root
    for part in above:
        if part not in owner._modules:
            owner.add_module(part, nn.Module())
        owner = owner._modules[part]  # type: ignore[assignment]
    return owner, name
