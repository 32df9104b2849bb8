"""given: what a model was called with, and how its tensors become inputs of a graph.

Containers nest freely: every tensor in them is an input of its own, picked out of what the caller
hands over. Whatever is no tensor is what it was on the example.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.tracing.arguments import bind

_INPUT = "qflow.input"


@dataclass(frozen=True)
class Given:
    """Arguments of one call under the names `forward` has for them."""

    positional: tuple[tuple[str, Any], ...]
    by_name: tuple[tuple[str, Any], ...] = ()
    names: tuple[str, ...] = ()
    """Of every tensor, in order."""

    @property
    def parameters(self) -> tuple[tuple[str, Any], ...]:
        return self.positional + self.by_name

    def call(self, forward: Callable[..., Any], *first: Any, values: Mapping[str, Any]) -> Any:
        """`forward` on one value per parameter; `first` goes in front."""
        args = (values[n] for n, _ in self.positional)
        return forward(*first, *args, **{n: values[n] for n, _ in self.by_name})

    @property
    def tensors(self) -> dict[str, Tensor]:
        leaves = [x for _, value in self.parameters for _, x in tensors_in(value)]
        return dict(zip(self.names, leaves, strict=True))


def by_name(model: nn.Module, inputs: Mapping[str, Tensor]) -> Given:
    """Declared inputs, by name where all names are parameters of `forward`. QF313."""
    arguments = bind(model, tuple(inputs))
    return Given(
        tuple((n, inputs[n]) for n in arguments.positional),
        tuple((n, inputs[n]) for n in arguments.by_name),
        arguments.names,
    )


def by_call(
    model: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    names: Sequence[str] | None = None,
) -> Given:
    """The arguments of a call; `names` are those of its tensors, in order.

    Without them a tensor has the name of its parameter and of its place in it: `pair_0`.
    QF313 when `forward` cannot take the arguments, or the names do not fit the tensors.
    """
    signature = inspect.signature(model.forward)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise _refused(model, f"it cannot take the arguments: {error}") from error
    positional: list[tuple[str, Any]] = []
    for name, value in bound.arguments.items():
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            positional += ((f"{name}_{i}", v) for i, v in enumerate(value))
        elif kind is not inspect.Parameter.VAR_KEYWORD and name not in kwargs:
            positional.append((name, value))
    given = Given(tuple(positional), tuple(kwargs.items()))
    found = [_joined(n, path) for n, value in given.parameters for path, _ in tensors_in(value)]
    if names is not None and len(names) != len(found):
        raise _refused(
            model,
            f"{len(names)} input names for {len(found)} tensors",
            f"the tensors are {', '.join(found)}",
        )
    chosen = tuple(names) if names is not None else _free(model, found)
    if len(set(chosen)) != len(chosen):
        raise _refused(model, f"two inputs of one name: {', '.join(chosen)}")
    return Given(given.positional, given.by_name, chosen)


def fixed_arguments(given: Given) -> tuple[Diagnostic, ...]:
    """A note for every argument without tensors: the graph does what its value led to."""
    return tuple(
        Diagnostic(
            "QF227",
            f"the argument `{name}` counts as {value!r} from now on, as in the example: "
            "it is no tensor",
            help="other values need a trace of their own",
            severity="note",
        )
        for name, value in given.parameters
        if value is not None and not any(True for _ in tensors_in(value))
    )


def tensors_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Tensor]]:
    """Every tensor in tuples, lists and dictionaries, with the keys that lead to it."""
    if isinstance(value, Tensor):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from tensors_in(item, (*path, key))
    elif isinstance(value, (tuple, list)):
        for i, item in enumerate(value):
            yield from tensors_in(item, (*path, i))


def place(
    given: Given, create: Callable[..., Any], leaf: Callable[[Tensor, Any], Any]
) -> dict[str, Any]:
    """Values for every parameter, made of graph inputs.

    `create(op, target, args)` makes a node or proxy, `leaf(tensor, made)` what stands for a tensor.
    """
    made = {n: create("placeholder", n, ()) for n, _ in given.parameters}
    names = iter(given.names)

    def rebuilt(value: Any, source: Any) -> Any:
        if isinstance(value, Tensor):
            node = source if isinstance(source, fx.Node) else source.node
            node.meta[_INPUT] = next(names)
            return leaf(value, source)
        if not any(True for _ in tensors_in(value)):
            return value
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        parts = {
            k: rebuilt(v, create("call_function", operator.getitem, (source, k)))
            if any(True for _ in tensors_in(v))
            else v
            for k, v in items
        }
        if isinstance(value, Mapping):
            return parts
        if hasattr(value, "_fields"):
            return type(value)(*parts.values())
        return type(value)(parts.values())

    nested = any(not isinstance(v, Tensor) for _, v in given.parameters)
    values = {}
    for name, value in given.parameters:
        source = made[name]
        if nested and isinstance(value, Tensor):
            # behind those that are picked out of what stands before it
            source = create("call_function", taken, (source,))
        values[name] = rebuilt(value, source)
    return values


def taken(x: Any) -> Any:
    """An argument as it is, where its place among the inputs is not that among the arguments."""
    return x


def input_name(node: fx.Node) -> str | None:
    """The name of the input that a node is; None for every other node."""
    found: str | None = node.meta.get(_INPUT)
    return found


def _joined(name: str, path: tuple[Any, ...]) -> str:
    return "_".join((name, *map(str, path)))


def _free(model: nn.Module, names: list[str]) -> tuple[str, ...]:
    """The names, those that a module has already with a word in front: addresses are one each."""
    taken = {address for address, _ in model.named_modules()}
    chosen: list[str] = []
    for name in names:
        while name in taken or name in chosen:
            name = f"input_{name}"
        chosen.append(name)
    return tuple(chosen)


def _refused(model: nn.Module, text: str, *notes: str) -> Exception:
    shown = ", ".join(str(p) for p in inspect.signature(model.forward).parameters.values())
    return fail(
        Diagnostic(
            "QF313",
            f"`{type(model).__name__}.forward`: {text}",
            notes=(f"it takes ({shown})", *notes),
            help="hand over the arguments as the model is called",
        )
    )
