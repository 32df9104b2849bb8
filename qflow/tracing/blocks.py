"""blocks: `dynamic_block`, a scope of its own for what a loop does over and over.

In a block one call-site is one generated module, however often it runs, so that a model whose loops
run longer on other data needs no module it does not have. Nothing in a block is fused with what
lies outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from torch import fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.tracing.own_code import own_frames

_META = "qflow.block"


class Tracing(Protocol):
    """A trace that runs, of either kind."""

    def path_of(self, module: nn.Module) -> str | None: ...

    def scope_path(self) -> str: ...


Site = tuple[tuple[str, int, int], ...]
"""File, first line and instruction of every call between a block and what runs in it."""


@dataclass(frozen=True)
class Placed:
    """Where in a block a node was made."""

    block: str
    """Address of the block: that of its module and its name."""
    owner: str
    """Address of the module that opened it."""
    site: Site


@dataclass
class _Open:
    address: str
    owner: str
    frame: FrameType


@dataclass
class _Trace:
    tracing: Tracing
    open: list[_Open]
    unnamed: dict[tuple[str, str, int, int], str]


_CURRENT: ContextVar[_Trace | None] = ContextVar("qflow_trace", default=None)


@contextmanager
def traced(tracing: Tracing) -> Iterator[None]:
    """While it is open, blocks belong to this trace."""
    token = _CURRENT.set(_Trace(tracing, [], {}))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current() -> Any | None:
    """The trace that runs in this thread; None outside of one."""
    trace = _CURRENT.get()
    return trace.tracing if trace else None


@contextmanager
def dynamic_block(module: nn.Module | None = None, name: str | None = None) -> Iterator[None]:
    """A scope for operators that a loop or a branch runs another number of times on other data.

    Put it around the operators inside the loop, not around the loop. The first argument is the
    module whose `forward` it stands in, the name is part of the addresses:
    `decoder.refine._generated_add_0`. Without a name the block is `_dynamic_block_<k>`. Outside of
    a trace it does nothing. QF228 for a name that cannot be one.
    """
    trace = _CURRENT.get()
    if trace is None:
        yield
        return
    frame = next(own_frames())
    owner = trace.tracing.path_of(module) if module is not None else trace.tracing.scope_path()
    owner = trace.tracing.scope_path() if owner is None else owner
    if name is None:
        code = frame.f_code
        key = (owner, code.co_filename, code.co_firstlineno, frame.f_lasti)
        count = sum(1 for k in trace.unnamed if k[0] == owner)
        name = trace.unnamed.setdefault(key, f"_dynamic_block_{count}")
    elif not name.isidentifier() or hasattr(module, name):
        raise fail(
            Diagnostic(
                "QF228",
                f"a dynamic block cannot be called `{name}`",
                notes=(f"`{owner or 'the model'}` has that name already",)
                if name.isidentifier()
                else (),
                help="use a name of letters, digits and `_` that its module does not have",
            )
        )
    trace.open.append(_Open(f"{owner}.{name}" if owner else name, owner, frame))
    try:
        yield
    finally:
        trace.open.pop()


def mark(node: fx.Node) -> None:
    """Note in which block a new node lies, and which call made it."""
    trace = _CURRENT.get()
    if trace is None or not trace.open:
        return
    block = trace.open[-1]
    node.meta[_META] = Placed(block.address, block.owner, _site(block.frame))


def placed(node: fx.Node) -> Placed | None:
    """Where in a block a node was made; None outside of blocks."""
    found: Placed | None = node.meta.get(_META)
    return found


def _site(outermost: FrameType) -> Site:
    found = []
    for frame in own_frames():
        code = frame.f_code
        found.append((code.co_filename, code.co_firstlineno, frame.f_lasti))
        if frame is outermost:
            break
    return tuple(found)
