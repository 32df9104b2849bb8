"""trial: one float forward on the example inputs, so that a wrong input is reported as one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.tracing.given import Given
from qflow.tracing.own_code import raised_at

MODEL_ERRORS = (
    RuntimeError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    NameError,
)
"""What a model's own code may raise; anything else is not about the model."""


def try_forward(model: nn.Module, given: Given) -> Any:
    """What the model returns, without gradients. QF313 with the module that failed and shapes."""
    running: list[tuple[str, str]] = []
    with torch.no_grad(), _followed(model, running):
        try:
            return given.call(model, values=dict(given.parameters))
        except MODEL_ERRORS as error:
            address, shapes = running[-1] if running else ("", "")
            declared = ", ".join(f"{n} is {_shapes(x)}" for n, x in given.tensors.items())
            place = raised_at(error)
            where = f"`{address}` ({type(model.get_submodule(address)).__name__})"
            raise fail(
                Diagnostic(
                    "QF313",
                    f"{where if address else 'the model'} cannot take its input {shapes}: "
                    f"{_first_line(error)}",
                    notes=(
                        f"declared: {declared}",
                        *((f"raised at {place.span}: `{place.line}`",) if place else ()),
                    ),
                    help="make the example what the network was trained on; in a .qf file it is "
                    "`input` of the `model` block",
                )
            ) from error


@contextmanager
def _followed(model: nn.Module, running: list[tuple[str, str]]) -> Iterator[None]:
    """Keep the modules being executed, innermost last; an error leaves them standing."""
    handles = []
    for address, module in model.named_modules():

        def enter(_: nn.Module, args: Any, kwargs: Any, address: str = address) -> None:
            running.append((address, _shapes((*args, *kwargs.values()))))

        def leave(*_: Any) -> None:
            running.pop()

        handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
        handles.append(module.register_forward_hook(leave))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _shapes(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"[{', '.join(map(str, value.shape))}]"
    if isinstance(value, (tuple, list)):
        return " and ".join(s for v in value if (s := _shapes(v)))
    return ""


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
