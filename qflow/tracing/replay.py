"""replay: what the model itself returns on the example, and whether its graph does the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_map

from qflow.diagnostics import Diagnostic, fail
from qflow.tracing.call import OWNER
from qflow.tracing.digests import digest_of
from qflow.tracing.example_recorder import DIGEST
from qflow.tracing.given import Given
from qflow.tracing.results import Path, leaves
from qflow.tracing.returned import kinds_of
from qflow.tracing.trial import MODEL_ERRORS, try_forward

_CLOSE = 1e-4
"""Allowed difference, relative to the largest value, where a function was written out."""


@dataclass
class Reference:
    """The model's own result, and where a replay of its graph left the way of the recording."""

    result: list[Tensor]
    kinds: Mapping[Path, type[Any]] = field(default_factory=dict)
    """Where the result holds mappings of classes of their own."""
    first: fx.Node | None = None
    _returned: list[Tensor] = field(default_factory=list)

    def compare(self, node: fx.Node, value: Any) -> None:
        """Called with every node of a replay and what it is."""
        if node.op == "output":
            self._returned = [x for _, x in leaves(value)]
        recorded = node.meta.get(DIGEST)
        if self.first is None and recorded is not None and recorded != digest_of(value):
            self.first = node

    def refuse_differences(self, exact: bool) -> None:
        """QF227 naming the first node that differs, when the replay gives other bits."""
        if self.first is not None:
            owner = self.first.meta.get(OWNER, "")
            raise _differs(
                f"`{self.first}` ({_shown(self.first)}) in `{owner or 'the model'}` "
                "gives another value when it runs again"
            )
        if not self._same(exact):
            raise _differs("the model returned another value while it was traced")

    def _same(self, exact: bool) -> bool:
        if len(self.result) != len(self._returned):
            return False
        return all(map(_equal if exact else _near, self.result, self._returned))


def refuse_frozen(
    model: nn.Module, module: fx.GraphModule, given: Given, notes: Sequence[Diagnostic]
) -> None:
    """QF227 when a tensor that nobody saw being made depends on the inputs after all.

    Both run on other values. Where other decisions would be taken as well, nothing can be told.
    """
    if any(n.code == "QF226" for n in notes):
        return
    values = [tree_map(_other, value) for _, value in given.parameters]
    try:
        with torch.no_grad(), _written_out():
            state = torch.get_rng_state()
            wanted = given.call(model, values=dict(zip(_names(given), values, strict=True)))
            torch.set_rng_state(state)
            found = fx.Interpreter(module).run(*values)
    except MODEL_ERRORS:
        # values the model does not take
        return
    pairs = zip(leaves(wanted), leaves(found), strict=True)
    if not all(_near(a, b) for (_, a), (_, b) in pairs):
        note = next(n for n in notes if n.code == "QF227")
        raise fail(
            Diagnostic(
                "QF227",
                "a tensor that the trace does not see being made depends on the inputs",
                note.at,
                notes=note.notes,
                help="make it with functions of torch, or keep the function whole with `wrap`",
            )
        )


def _names(given: Given) -> tuple[str, ...]:
    return tuple(n for n, _ in given.parameters)


def _other(value: Any) -> Any:
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.flip(-1) * -0.5 + 0.25 if value.dim() else value * -0.5 + 0.25
    return value


def reference(model: nn.Module, given: Given) -> Reference:
    """Run the model once. QF313 with the module that failed."""
    with _written_out():
        result = try_forward(model, given)
    return Reference([x.clone() for _, x in leaves(result)], kinds_of(result))


@contextmanager
def _written_out() -> Iterator[None]:
    """Attention as torch computes it step by step, not in one kernel of other roundings."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _equal(wanted: Tensor, found: Tensor) -> bool:
    return digest_of(wanted) == digest_of(found)


def _near(wanted: Tensor, found: Tensor) -> bool:
    if wanted.shape != found.shape or wanted.dtype != found.dtype:
        return False
    if not wanted.is_floating_point():
        return _equal(wanted, found)
    largest = wanted.abs().max().item() if wanted.numel() else 0.0
    return torch.allclose(wanted, found, rtol=0, atol=_CLOSE * largest, equal_nan=True)


def _differs(what: str) -> Exception:
    return fail(
        Diagnostic(
            "QF227",
            f"the trace cannot be repeated: {what}",
            help="keep what draws random numbers, or counts its calls, whole with `wrap`",
        )
    )


@contextmanager
def repeatable() -> Iterator[Callable[[], None]]:
    """A function that brings the random numbers back to where they were; in the end they are."""
    with torch.random.fork_rng(devices=[]):
        state = torch.get_rng_state()
        yield lambda: torch.set_rng_state(state)


def _shown(node: fx.Node) -> str:
    target: str | Callable[..., Any] = node.target
    return target if isinstance(target, str) else target.__name__
