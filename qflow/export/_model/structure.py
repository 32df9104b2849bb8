"""structure: how a model is called and what it returns, around the tensors of an integer graph.

Tensors in the arguments are found by the keys that lead to them, so dictionaries may be given in
any order; whatever else is in the arguments is what it was on the example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qflow.diagnostics import Diagnostic, QflowError, fail

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Leaf:
    """Where an output stands in what is returned."""

    name: str


@dataclass(frozen=True)
class Structure:
    parameters: tuple[str, ...]
    """Names of the arguments, in order; all may be given by name."""
    inputs: tuple[tuple[str, str, Path], ...]
    """Per tensor its name, its parameter, and the keys inside that."""
    result: Any
    """Tuples, lists, dictionaries and plain values with a `Leaf` for each tensor."""

    @staticmethod
    def flat(inputs: Sequence[str], outputs: Sequence[str]) -> Structure:
        """Tensors as arguments in order; one output as it is, several as a tuple."""
        leaves = tuple(Leaf(name) for name in outputs)
        result = leaves[0] if len(leaves) == 1 else leaves
        return Structure(tuple(inputs), tuple((n, n, ()) for n in inputs), result)

    def tensors(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The tensors of a call by name. Raises QflowError QF313 where it has another form."""
        if len(args) > len(self.parameters):
            raise self._refused(f"{len(args)} arguments were given")
        given = dict(zip(self.parameters, args, strict=False))
        for name, value in kwargs.items():
            if name not in self.parameters:
                raise self._refused(f"it has no argument `{name}`")
            if name in given:
                raise self._refused(f"`{name}` was given twice")
            given[name] = value
        return {
            name: self._at(given, name, parameter, path) for name, parameter, path in self.inputs
        }

    def returned(self, values: Mapping[str, Any]) -> Any:
        """The values by name, in the form the model returns them."""
        return rebuilt(self.result, lambda leaf: values[leaf.name])

    def renamed(self, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Structure:
        """The same with other names of tensors; parameters keep theirs."""
        moved = tuple((inputs.get(n, n), parameter, path) for n, parameter, path in self.inputs)
        result = rebuilt(self.result, lambda leaf: Leaf(outputs.get(leaf.name, leaf.name)))
        return replace(self, inputs=moved, result=result)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors it returns."""
        return tuple(leaf.name for leaf in _leaves(self.result))

    def _at(self, given: Mapping[str, Any], name: str, parameter: str, path: Path) -> Any:
        if parameter not in given:
            raise self._refused(f"the argument `{parameter}` is missing")
        value = given[parameter]
        try:
            for key in path:
                # a tensor would give one of its rows
                if hasattr(value, "shape"):
                    raise KeyError(key)
                value = value[key]
        except (TypeError, KeyError, IndexError):
            raise self._refused(f"`{parameter}` does not hold the tensor `{name}`") from None
        if not hasattr(value, "shape"):
            raise self._refused(f"`{name}` is no tensor, but a {type(value).__name__}")
        return value

    def _refused(self, text: str) -> QflowError:
        return fail(
            Diagnostic(
                "QF313",
                f"the integer model cannot be called like that: {text}",
                notes=(f"it takes ({', '.join(self.parameters)})",),
                help="call it as the model was called on the example inputs",
            )
        )


def rebuilt(value: Any, leaf: Callable[[Leaf], Any]) -> Any:
    """The same containers with something else for each `Leaf`."""
    if isinstance(value, Leaf):
        return leaf(value)
    if isinstance(value, Mapping):
        return {k: rebuilt(v, leaf) for k, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(rebuilt(v, leaf) for v in value))
    if isinstance(value, (tuple, list)):
        return type(value)(rebuilt(v, leaf) for v in value)
    return value


def _leaves(value: Any) -> Iterator[Leaf]:
    if isinstance(value, Leaf):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _leaves(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _leaves(part)
