"""example: trace by example: the real forward runs, and what it calls becomes a graph."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from qflow.diagnostics import Diagnostic, fail
from qflow.plan.plan import GraphSpec
from qflow.tracing import blocks, float_functional
from qflow.tracing.attention import attention, multi_head_attention
from qflow.tracing.example_recorder import Recorder
from qflow.tracing.example_targets import TAKES_VALUES, sized_by_values, target_of
from qflow.tracing.given import Given, place
from qflow.tracing.leaves import Leaves, is_wrapped
from qflow.tracing.overwriting import set_item
from qflow.tracing.own_code import raised_at
from qflow.tracing.trial import MODEL_ERRORS
from qflow.tracing.wrapping import replaced, wrapped

_WRITTEN_OUT: Mapping[Any, Callable[..., Any]] = {
    functional.multi_head_attention_forward: multi_head_attention,
    functional.scaled_dot_product_attention: attention,
}
"""Functions that do too much at once, to the operators they are made of."""


@dataclass(frozen=True)
class Recorded:
    """A trace by example."""

    graph: fx.Graph
    notes: tuple[Diagnostic, ...]
    """What a person should know of it."""
    unseen: bool
    """Whether a tensor turned up that nobody saw being made."""
    exact: bool
    """Every function is the model's own; otherwise some were written out, and round elsewhere."""


def record_example(
    model: nn.Module, given: Given, graph: GraphSpec, whole: bool = False
) -> Recorded:
    """The graph of what `forward` did on the example.

    `model` is in evaluation mode, may be changed, and is known to run. `whole`: what a wrapped call
    returned is one output, whatever is in it. QF227 when the model fails all the same.
    """
    recorder = Recorder(model)
    values = place(
        given,
        lambda op, target, args: recorder.node(op, target, args),
        recorder.given,
    )
    leaves = Leaves(graph, composites=True)
    with (
        torch.no_grad(),
        blocks.traced(recorder),
        wrapped(graph.wraps, model),
        float_functional.followed(model),
        replaced(model, "len", partial(_length, recorder)),
        _masks_as_given(recorder),
        _module_calls(recorder, leaves),
        _Functions(recorder),
    ):
        try:
            result = given.call(model.forward, values=values)
        except MODEL_ERRORS as error:
            raise fail(_failed(model, error)) from error
    returned = recorder.wholes.put(result) if whole else result
    recorder.graph.output(recorder.argument(returned))
    notes = recorder.finished()
    return Recorded(recorder.graph, notes, recorder.unseen, exact=not recorder.written_out)


def _failed(model: nn.Module, error: BaseException) -> Diagnostic:
    """The model ran without being traced, so it asks for something only a trace does."""
    place = raised_at(error)
    text = str(error).strip() or type(error).__name__
    return Diagnostic(
        "QF227",
        f"`{type(model).__name__}` fails while it is traced: {text.splitlines()[0]}",
        place.span if place else None,
        notes=(f"the line reads `{place.line}`",) if place else (),
        help="keep the function that fails whole with `wrap`",
    )


class _Functions(TorchFunctionMode):
    """Every function of torch and method of a tensor, while the model runs."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = dict(kwargs or {})
        recorder = self._recorder
        if not recorder.live:
            return function(*args, **named)
        if whole := _WRITTEN_OUT.get(function):
            recorder.written_out = True
            with self:
                return whole(*args, **named)
        name = function.__name__
        if name == "__setitem__":
            recorder.record("call_function", set_item, args, {}, lambda: set_item(*args))
            return None
        if name in TAKES_VALUES:
            for value in args:
                if isinstance(value, Tensor):
                    recorder.decides(value, "the value of a tensor")
            return function(*args, **named)
        if name == "__len__":
            recorder.counts(args[0])
            return function(*args)
        if name == "unbind" and _iterates():
            recorder.counts(args[0])
            with self:
                return tuple(args[0][i] for i in range(args[0].shape[0]))
        if name in ("__set__", "__delete__"):
            return function(*args, **named)
        target = target_of(function, args, named)
        return recorder.record(
            target.op,
            target.target,
            target.args,
            target.kwargs,
            lambda: function(*args, **named),
            sized_by_values(function, args),
        )


def _length(recorder: Recorder, x: Any) -> int:
    """`len`, which Python lets return no number but its own."""
    if not isinstance(x, Tensor) or not recorder.live or blocks.current() is not recorder:
        return len(x)
    found: int = recorder.record("call_method", "size", (x, 0), {}, lambda: _plain_length(x))
    return found


def _plain_length(x: Tensor) -> int:
    with torch._C.DisableTorchFunction():
        return len(x)


@contextmanager
def _masks_as_given(recorder: Recorder) -> Iterator[None]:
    """Modules of torch turn truth values into minus infinity before attention sees them."""
    original = getattr(functional, "_canonical_mask", None)
    if original is None:
        yield
        return

    def canonical(mask: Tensor | None, *args: Any, **kwargs: Any) -> Tensor | None:
        followed = recorder.live and blocks.current() is recorder
        return mask if followed else original(mask, *args, **kwargs)

    functional._canonical_mask = canonical
    try:
        yield
    finally:
        functional._canonical_mask = original


def _iterates() -> bool:
    """Whether it is `iter(x)` that asks, not the model."""
    return sys._getframe(2).f_code is Tensor.__iter__.__code__


@contextmanager
def _module_calls(recorder: Recorder, leaves: Leaves) -> Iterator[None]:
    """While it is open, modules that are operators are one node each."""
    original = nn.Module.__call__

    def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        # another thread runs models of its own
        path = recorder.path_of(module) if blocks.current() is recorder else None
        if path is None or not recorder.live:
            return original(module, *args, **kwargs)
        if not leaves.has(module, path):
            with recorder.inside(path):
                return original(module, *args, **kwargs)

        def run() -> Any:
            with recorder.paused():
                return original(module, *args, **kwargs)

        return recorder.record("call_module", path, args, kwargs, run, whole=is_wrapped(module))

    nn.Module.__call__ = call  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.__call__ = original  # type: ignore[method-assign]
