"""wrap: functions that stay one call in the trace instead of being traced into."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any, TypeVar

from torch import fx, nn

from qflow.diagnostics import Diagnostic, Span, fail

F = TypeVar("F", bound=Callable[..., Any])


def wrap(function: F) -> F:
    """Keep a function as one call: a decorator for functions of the model's own code.

    The graph calls the function itself; outside a trace nothing changes.
    """

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        proxies: list[fx.Proxy] = []
        fx.node.map_aggregate((args, kwargs), lambda a: _note(a, proxies))
        if not proxies:
            return function(*args, **kwargs)
        return proxies[0].tracer.create_proxy("call_function", function, args, kwargs)

    return wrapped  # type: ignore[return-value]


@contextmanager
def wrapped(names: Sequence[tuple[str, Span]], model: nn.Module) -> Iterator[None]:
    """While it is open, the named functions stay single calls, however the model imported them.

    A name is `module:function`, or a built-in function such as `len`. QF312 when there is none.
    """
    functions = [_function(name, span) for name, span in names]
    replacements = {id(f): wrap(f) for f in functions}
    # a built-in is found in no module's own names, so it is put there for the time of the trace
    builtin = {f.__name__: wrap(f) for f in functions if f.__module__ == builtins.__name__}
    patched: list[tuple[dict[str, Any], str, Any]] = []
    missing = object()
    try:
        for scope in _scopes(model, functions):
            for name, value in list(scope.items()):
                if id(value) in replacements:
                    patched.append((scope, name, value))
                    scope[name] = replacements[id(value)]
            for name, value in builtin.items():
                patched.append((scope, name, scope.get(name, missing)))
                scope[name] = value
        yield
    finally:
        for scope, name, value in reversed(patched):
            if value is missing:
                del scope[name]
            else:
                scope[name] = value


def _note(value: Any, proxies: list[fx.Proxy]) -> Any:
    if isinstance(value, fx.Proxy):
        proxies.append(value)
    return value


def _scopes(model: nn.Module, functions: Sequence[Callable[..., Any]]) -> list[dict[str, Any]]:
    """Global names of every Python file the model's classes and the functions come from."""
    if not functions:
        return []
    classes = {c for m in model.modules() for c in type(m).__mro__}
    files = {c.__module__ for c in classes} | {f.__module__ for f in functions}
    own = {f for f in files if f.partition(".")[0] not in ("torch", "builtins", "qflow")}
    return [vars(sys.modules[f]) for f in sorted(own) if f in sys.modules]


def _function(name: str, span: Span) -> Callable[..., Any]:
    module, colon, attribute = name.rpartition(":")
    try:
        found = getattr(import_module(module) if colon else builtins, attribute)
    except (ImportError, AttributeError) as error:
        raise fail(
            Diagnostic(
                "QF312",
                f"`{name}` cannot be wrapped: {error}",
                span,
                help="name a function as `package.module:function`",
            )
        ) from error
    if not callable(found) or isinstance(found, type):
        raise fail(Diagnostic("QF312", f"`{name}` is no function, so it cannot be wrapped", span))
    return found  # type: ignore[no-any-return]
