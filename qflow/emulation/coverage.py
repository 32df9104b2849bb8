"""coverage: how many operators and multiply-accumulates of a model its integer graph runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph
    from qflow.plan.inventory import Inventory, Module

_NO_OPERATORS = ("input", "output", "quant", "dequant", "constant")
"""The border itself, and values that nothing computes."""
OUTSIDE = "it runs outside of the quantized part"


@dataclass(frozen=True)
class Share:
    """A part of a whole."""

    integer: int
    total: int

    @property
    def share(self) -> float:
        """1 of nothing."""
        return self.integer / self.total if self.total else 1.0


@dataclass(frozen=True)
class Left:
    """An operator that does not run as integers."""

    address: str
    op: str
    why: str


@dataclass(frozen=True)
class Coverage:
    operators: Share
    multiply_accumulates: Share
    """Of one sample."""
    floats: tuple[Left, ...]
    """What stays float, in execution order."""

    @property
    def outside(self) -> int:
        """How many of those run before the quantizes and behind the dequantizes."""
        return sum(left.why == OUTSIDE for left in self.floats)

    @property
    def within(self) -> Share:
        """The operators of the quantized part alone."""
        return Share(self.operators.integer, self.operators.total - self.outside)


def coverage(graph: IntegerGraph, inventory: Inventory, absorbed: Mapping[str, str]) -> Coverage:
    """What the integer graph runs of the modules of a model.

    `absorbed` says of modules that are fused into another which one: they run where that runs. An
    operator between a dequantize and a quantize (an island) is none of the integer ones.
    """

    def lives_at(module: Module) -> str:
        return absorbed.get(module.address, module.address)

    islands = {n.address for n in graph.nodes if n.op == "island"}
    inside = {n.address for n in graph.nodes if n.output.dtype != "float32"} - islands
    inside |= _at_stubs(graph, inventory)
    modules = [m for m in inventory.modules if m.op not in _NO_OPERATORS]
    integer = [m for m in modules if lives_at(m) in inside]
    taken = {m.address for m in integer}
    rest = [m for m in modules if m.address not in taken]
    return Coverage(
        Share(len(integer), len(modules)),
        Share(sum(m.macs for m in integer), sum(m.macs for m in modules)),
        tuple(Left(m.address, m.op, _why(graph, lives_at(m))) for m in rest),
    )


def _at_stubs(graph: IntegerGraph, inventory: Inventory) -> set[str]:
    """What makes floats of whole numbers, and runs where a stub is: an embedding."""
    every = inventory.by_address
    stubs = [n for n in graph.nodes if n.address in every and every[n.address].op == "quant"]
    return {a for n in stubs for a in inventory.sources[n.address] if every[a].op == n.op}


def _why(graph: IntegerGraph, address: str) -> str:
    """As the note of its island has it; `#1` is the second call of a module."""
    for note in graph.notes:
        place, island, why = note.partition(": a float island for ")
        if island and place.partition("#")[0] == address:
            return why.partition("`: ")[2]
    return OUTSIDE
