"""facts: what is known of a prepared model besides its tensors; it travels in the module's meta."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from qflow.diagnostics import Diagnostic
from qflow.plan.inventory import Inventory
from qflow.plan.plan import Fusion, ModulePlan
from qflow.plan.unfused import Unfused

__all__ = ["Change", "Facts", "Unfused", "facts_of", "set_facts"]

_FACTS = "qflow.facts"


@dataclass(frozen=True)
class Change:
    """A field of a qconfig that is not what was asked for."""

    address: str
    field: str
    """`output.dtype`, `weight.dtype`, `input.dtype`, ..."""
    asked: str
    given: str
    why: str
    """Who wants it so: the march and the operator, the scale group, the fusion."""


@dataclass(frozen=True)
class Facts:
    march: str
    inventory: Inventory
    """Of the traced model, before fusion."""
    plans: tuple[ModulePlan, ...]
    """In execution order, as attached."""
    fusions: tuple[Fusion, ...] = ()
    unfused: tuple[Unfused, ...] = ()
    changes: tuple[Change, ...] = ()
    whole_numbers: frozenset[str] = frozenset()
    """Addresses whose outputs hold no floats: masks, indices."""
    notes: tuple[Diagnostic, ...] = ()
    """Everything that was said while it was prepared."""


def facts_of(prepared: nn.Module) -> Facts | None:
    """The facts of a prepared model; None for one that `prepare` did not make."""
    meta = getattr(prepared, "meta", None)
    found: Facts | None = meta.get(_FACTS) if isinstance(meta, dict) else None
    return found


def set_facts(prepared: nn.Module, facts: Facts) -> None:
    """Keep the facts with the model; a copy of the model keeps them."""
    meta = getattr(prepared, "meta", None)
    if not isinstance(meta, dict):
        meta = {}
        # a plain attribute, so that eager models, which have no `meta`, can carry it as well
        object.__setattr__(prepared, "meta", meta)
    meta[_FACTS] = facts
