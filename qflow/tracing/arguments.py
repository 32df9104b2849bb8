"""Arguments: how the declared inputs are handed to `forward`, by name where the names agree."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from qflow.diagnostics import Diagnostic, fail


@dataclass(frozen=True)
class Arguments:
    """Declared input names in the order and form `forward` takes them."""

    positional: tuple[str, ...]
    by_name: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.positional + self.by_name

    def call(self, forward: Any, *first: Any, values: Mapping[str, Any]) -> Any:
        """`forward` on one value per declared input; `first` goes in front."""
        args = (values[n] for n in self.positional)
        return forward(*first, *args, **{n: values[n] for n in self.by_name})


def bind(model: nn.Module, names: tuple[str, ...]) -> Arguments:
    """Match declared inputs to the parameters of `forward`. QF313 when they do not fit.

    Inputs whose names are all parameters are passed by name, otherwise all are passed in order.
    What is not declared keeps its default.
    """
    if reserved := next((n for n in names if keyword.iskeyword(n)), None):
        raise fail(
            Diagnostic(
                "QF313",
                f"`{reserved}` is a word of Python, so no input can have that name",
                help="give the input another name; then inputs are passed in order",
            )
        )
    signature = inspect.signature(model.forward)
    by_name = all(n in signature.parameters for n in names)
    arguments = Arguments((), names) if by_name else Arguments(names)
    try:
        arguments.call(signature.bind, values=dict.fromkeys(names))
    except TypeError as error:
        shown = ", ".join(str(p) for p in signature.parameters.values())
        raise fail(
            Diagnostic(
                "QF313",
                f"`{type(model).__name__}.forward` cannot take the declared inputs: {error}",
                notes=(f"it takes ({shown})", f"the inputs are {', '.join(names)}"),
                help="declare one input for each tensor that `forward` needs",
            )
        ) from error
    return arguments
