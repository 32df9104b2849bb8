"""wrap: functions, methods and modules that stay one call in the trace instead of being entered."""

from __future__ import annotations

import builtins
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from types import FunctionType
from typing import Any, TypeVar, overload

from torch import Tensor, fx, nn

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.tracing import blocks
from qflow.tracing.example_numbers import Followed
from qflow.tracing.leaves import mark_wrapped
from qflow.tracing.methods import PART, MethodCall, parts_of

F = TypeVar("F", bound=Callable[..., Any])

_NAMED: list[tuple[dict[str, Any], str]] = []
"""Namespaces and names given to `wrap` as a string."""


@overload
def wrap(function: F, *, skip_compile: bool = False) -> F: ...
@overload
def wrap(function: str, *, skip_compile: bool = False) -> str: ...
@overload
def wrap(function: None = None, *, skip_compile: bool = False) -> Callable[[Any], Any]: ...
def wrap(function: Any = None, *, skip_compile: bool = False) -> Any:
    """Keep something as one call of the graph; outside of a trace nothing changes.

    A function: the graph calls it. A method of a module: it runs as written, on the modules of the
    graph; those it calls are quantized as everywhere. A module class: a leaf, as are its methods. A
    name: the function or built-in of that name in the calling file, such as `wrap("len")`.

    Use it as `@wrap`, `@wrap()` or `wrap(f)`. `skip_compile` is taken for the field's sake: nothing
    here compiles what is wrapped. Raises QflowError QF312 for what cannot be wrapped.
    """
    if isinstance(function, bool):
        # the field's own signature has it first
        function = None
    if function is None:
        return lambda found: _wrap(found, inspect.currentframe())
    return _wrap(function, inspect.currentframe())


def _wrap(function: Any, frame: Any) -> Any:
    if isinstance(function, str):
        while frame is not None and frame.f_globals is globals():
            frame = frame.f_back
        assert frame is not None
        _NAMED.append((frame.f_globals, function))
        return function
    if isinstance(function, type) and issubclass(function, nn.Module):
        return _class(function)
    if not callable(function) or isinstance(function, type):
        raise fail(
            Diagnostic(
                "QF312",
                f"{function!r} cannot be wrapped",
                help="wrap a function, a method, a module class, or the name of a function",
            )
        )
    return _function(function)


def _function(function: Callable[..., Any], public: bool = True) -> Any:
    """`public`: the result is found under the function's name, so that a graph can be pickled."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        tracing = _tracing(args, kwargs)
        if tracing is None:
            return function(*args, **kwargs)
        path = tracing.path_of(args[0]) if args and isinstance(args[0], nn.Module) else None
        if path is not None and getattr(type(args[0]), function.__name__, None) is not None:
            return _method(function, tracing, path, args, kwargs)
        return _recorded(tracing, wrapped if public else function, function, args, kwargs)

    return wrapped


def _class(cls: type[nn.Module]) -> type[nn.Module]:
    """A leaf whose methods are leaves, those of its bases outside torch as well."""
    mark_wrapped(cls)
    for base in reversed(cls.__mro__):
        if base.__module__.partition(".")[0] in ("torch", "builtins"):
            continue
        for name, value in list(vars(base).items()):
            if isinstance(value, FunctionType) and not name.startswith("__"):
                setattr(cls, name, _function(value))
    return cls


def _tracing(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any | None:
    """The trace that has to record the call; None where it simply runs."""
    tracing = blocks.current()
    if tracing is None:
        return None
    found: list[Any] = []
    fx.node.map_aggregate((args, dict(kwargs)), found.append)
    if isinstance(tracing, fx.Tracer):
        return tracing if any(isinstance(v, fx.Proxy) for v in found) else None
    follows = any(isinstance(v, (Tensor, Followed)) for v in found)
    return tracing if tracing.live and follows else None


def _method(
    function: Callable[..., Any], tracing: Any, path: str, args: Any, kwargs: Mapping[str, Any]
) -> Any:
    owner, rest = args[0], args[1:]
    call = MethodCall(function, owner)
    symbolic = isinstance(tracing, fx.Tracer)

    def part(address: str) -> Any:
        if symbolic:
            proxy = tracing.create_proxy("get_attr", address, (), {})
            proxy.node.meta[PART] = True
            return proxy
        node = tracing.node("get_attr", address)
        node.meta[PART] = True
        return node

    parts = {
        registry: {name: part(address) for name, address in found.items()}
        for registry, found in parts_of(owner, path).items()
    }
    with tracing.inside(path):
        return _recorded(tracing, call, function, (parts, *rest), kwargs, (owner, *rest))


def _recorded(
    tracing: Any,
    target: Callable[..., Any],
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    real: tuple[Any, ...] | None = None,
) -> Any:
    if isinstance(tracing, fx.Tracer):
        return tracing.create_proxy("call_function", target, args, dict(kwargs))

    def run() -> Any:
        with tracing.paused():
            return function(*(args if real is None else real), **kwargs)

    return tracing.record("call_function", target, args, kwargs, run, whole=True)


@contextmanager
def wrapped(names: Sequence[tuple[str, Span]], model: nn.Module) -> Iterator[None]:
    """While it is open, the named functions stay single calls, however the model imported them.

    A name is `module:function`, or a built-in function such as `len`. QF312 when there is none.
    Names that were given to `wrap` are patched where they were given.
    """
    functions = [_found(name, span) for name, span in names]
    replacements = {id(f): _function(f, public=False) for f in functions}
    # a built-in is found in no module's own names, so it is put there for the time of the trace
    builtin = {f.__name__: replacements[id(f)] for f in functions if _is_builtin(f)}
    patched: list[tuple[dict[str, Any], str, Any]] = []

    def patch(scope: dict[str, Any], name: str, value: Any) -> None:
        patched.append((scope, name, scope.get(name, _MISSING)))
        scope[name] = value

    try:
        for scope in _scopes(model, functions):
            for name, value in list(scope.items()):
                if id(value) in replacements:
                    patch(scope, name, replacements[id(value)])
            for name, value in builtin.items():
                patch(scope, name, value)
        for scope, name in _NAMED:
            patch(scope, name, _function(_named(scope, name), public=False))
        yield
    finally:
        for scope, name, value in reversed(patched):
            if value is _MISSING:
                del scope[name]
            else:
                scope[name] = value


@contextmanager
def replaced(model: nn.Module, name: str, function: Callable[..., Any]) -> Iterator[None]:
    """While it is open, a built-in is another function in the files of the model's classes.

    Files that have the name for something of their own keep it.
    """
    scopes = [vars(sys.modules[f]) for f in _own(_files(model)) if f in sys.modules]
    changed = [scope for scope in scopes if name not in scope]
    for scope in changed:
        scope[name] = function
    try:
        yield
    finally:
        for scope in changed:
            del scope[name]


_MISSING = object()


def _is_builtin(function: Any) -> bool:
    return getattr(function, "__module__", "") == builtins.__name__


def _named(scope: Mapping[str, Any], name: str) -> Callable[..., Any]:
    found = scope.get(name, getattr(builtins, name, None))
    if callable(found) and not isinstance(found, type):
        return found  # type: ignore[no-any-return]
    text = f"`{name}` is no function of `{scope.get('__name__')}`, so it cannot be wrapped"
    raise fail(Diagnostic("QF312", text, help="call `wrap` in the file that uses the function"))


def _scopes(model: nn.Module, functions: Sequence[Callable[..., Any]]) -> list[dict[str, Any]]:
    """Global names of every Python file the model's classes and the functions come from."""
    if not functions:
        return []
    files = _files(model) | {f.__module__ for f in functions}
    return [vars(sys.modules[f]) for f in _own(files) if f in sys.modules]


def _files(model: nn.Module) -> set[str]:
    """Where the model's classes, and the functions that are their methods, were written."""
    classes = {c for m in model.modules() for c in type(m).__mro__}
    methods = {f for c in classes for f in vars(c).values() if isinstance(f, FunctionType)}
    return {str(found.__module__) for found in (*classes, *methods)}


def _own(files: Iterable[str]) -> list[str]:
    """Python files of neither torch, Python nor qflow."""
    return sorted(f for f in files if f.partition(".")[0] not in ("torch", "builtins", "qflow"))


def _found(name: str, span: Span) -> Callable[..., Any]:
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
