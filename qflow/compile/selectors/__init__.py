"""Selector functions: `match sensitive(sens, top = 4)`; one file each, the file's name is the word.

Each file defines a class of that name with `select(call, unit)`. What it covers is a fact of the
model and of tables, never of the rules: it may read the inventory, the region and the tables.
"""

from typing import ClassVar, Protocol

from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.records import dataclass


@dataclass(frozen=True)
class Selected:
    """What a call covers."""

    addresses: tuple[str, ...] | None
    """In execution order; None where that is not known, which `diagnostics` says."""
    diagnostics: tuple[Diagnostic, ...] = ()


class SelectorFunction(Protocol):
    """What a file of this folder defines."""

    budget: ClassVar[bool]
    """It covers a number of modules, not named ones: what it covers changes with a measurement."""

    def select(self, call: syntax.Call, unit: Unit) -> Selected:
        """The addresses of one call. Never raises for what the file says."""
        ...
