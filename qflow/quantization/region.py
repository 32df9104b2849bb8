"""region: what lies between the stubs: only that gets fake-quantizers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from qflow.plan.inventory import Inventory

SOURCES = ("quant", "constant")
"""Operators at which a grid begins whatever they read."""
_NO_GRID = ("input", "dequant", "output")


def between_stubs(inventory: Inventory, whole_numbers: Collection[str] = ()) -> frozenset[str]:
    """Addresses that a grid reaches and no float tensor does, dequantizes left out.

    Float are the inputs and what leaves a dequantize, and whatever reads them without a stub in
    between. `whole_numbers` are addresses whose output holds no floats: masks and indices have no
    grid and carry nothing on. What nobody reads but float operators (a constant of the
    pre-processing) stays outside as well.
    """
    every = inventory.by_address
    begins = {a for a, m in every.items() if m.op in SOURCES}
    borders = {a for a, m in every.items() if m.op in _NO_GRID}
    # a mask or an index neither is a float nor hands one on: comparisons end the walk
    carriers = borders - set(whole_numbers)
    floats = _spread(carriers, inventory.users, begins | set(whole_numbers))
    inside = _spread(begins, inventory.users, borders) - floats - borders
    for address in reversed([m.address for m in inventory.modules]):
        users = [every[u] for u in inventory.users[address]]
        used = any(u.address in inside or u.op in ("dequant", "output") for u in users)
        if users and not used and every[address].op != "quant":
            inside.discard(address)
    return frozenset(inside)


def left_float(inventory: Inventory, inside: Collection[str]) -> tuple[str, ...]:
    """Addresses on a way from a QuantStub to a dequantize that `inside` lacks: floats reach them.

    In execution order; what only joins a constant to the pre-processing is on no such way.
    """
    every = inventory.by_address
    stubs = {a for a, m in every.items() if m.op == "quant"}
    ends = {a for a, m in every.items() if m.op == "dequant"}
    borders = {a for a, m in every.items() if m.op in _NO_GRID}
    before = _spread(ends, inventory.sources, borders | stubs)
    between = _spread(stubs, inventory.users, borders) & before
    lacking = between - set(inside)
    return tuple(m.address for m in inventory.modules if m.address in lacking)


def _spread(
    start: Iterable[str], steps: Mapping[str, Sequence[str]], stops: Collection[str]
) -> set[str]:
    """Everything reached from `start` without entering `stops`."""
    found = set(start)
    waiting = list(found)
    while waiting:
        for other in steps[waiting.pop()]:
            if other not in found and other not in stops:
                found.add(other)
                waiting.append(other)
    return found
