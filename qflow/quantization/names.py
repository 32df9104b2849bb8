"""names: what a name in a setter stands for: a unit, a member of a fusion, all below a module."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from qflow.diagnostics import Diagnostic
from qflow.quantization.facts import Change
from qflow.quantization.scene import Scene
from qflow.registry import nearest


@dataclass(frozen=True)
class Named:
    by_unit: Mapping[str, str]
    """Per unit the name that covers it best: its own, an absorbed member's, the longest prefix."""
    changes: tuple[Change, ...] = ()
    """Names of absorbed members, which stand for their fusion, and the other way round."""
    unknown: tuple[Diagnostic, ...] = ()
    """QF250 for every name that covers nothing."""


def covered(scene: Scene, names: Collection[str], whose: str) -> Named:
    """What `names` stand for. The empty name stands for everything."""
    by_unit: dict[str, str] = {}
    absorbed: list[Change] = []
    used: set[str] = set()
    for unit in scene.units:
        found = {name: rank for name in names if (rank := _rank(scene, name, unit)) is not None}
        used |= found.keys()
        if not found:
            continue
        best = max(found, key=found.__getitem__)
        by_unit[unit] = best
        if best != unit and best in scene.members(unit):
            absorbed.append(Change(best, "address", best, unit, f"{whose}: it runs fused there"))
        if best != unit and best == scene.aliases.get(unit):
            why = f"{whose}: a fusion taken apart, as the march does not fuse at this dtype"
            absorbed.append(Change(best, "address", best, unit, why))
    missing = tuple(_unknown(scene, name, whose) for name in names if name not in used)
    return Named(by_unit, tuple(absorbed), missing)


def _rank(scene: Scene, name: str, unit: str) -> tuple[int, int] | None:
    """How well a name fits a unit; larger is better, None: not at all."""
    members = scene.members(unit)
    if name == unit:
        return (3, 0)
    if name in members or name == scene.aliases.get(unit):
        return (2, 0)
    if _below(unit, name):
        return (1, len(name))
    # a container whose every unit was fused into an add outside of it
    return (0, len(name)) if any(_below(m, name) for m in members) else None


def _below(address: str, name: str) -> bool:
    return not name or address.startswith(f"{name}.")


def _unknown(scene: Scene, name: str, whose: str) -> Diagnostic:
    members = {m for u in scene.units for m in scene.members(u)}
    near = nearest(name, tuple(sorted(members | set(_parents(members)))))
    notes = [f"the nearest: {', '.join(f'`{n}`' for n in near)}"] if near else []
    if name in scene.inventory.by_address:
        notes.insert(0, "it runs, but not between the quant and dequant stubs")
    elif name in scene.modules:
        notes.insert(0, "the model has it, but `forward` runs nothing of it between the stubs")
    return Diagnostic(
        "QF250",
        f"{whose}: no module is called `{name}`",
        notes=tuple(notes),
        help="`fx_graph.txt` of an earlier prepare lists every name",
    )


def _parents(addresses: Iterable[str]) -> Iterable[str]:
    for address in addresses:
        while "." in address:
            address = address.rpartition(".")[0]
            yield address
