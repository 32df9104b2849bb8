"""qconfig_dict: the oldest form: one qconfig for all, by type, by name; the last of these wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from qflow.diagnostics import Diagnostic
from qflow.quantization.deciding import Answer, Decision, Setter
from qflow.quantization.names import covered
from qflow.quantization.qconfig import QConfig
from qflow.quantization.scene import Scene
from qflow.registry import nearest

KEYS = ("", "module_type", "module_name")


@dataclass(frozen=True, eq=False)
class QconfigDictSetter(Setter):
    """`{"": q, "module_type": [(nn.Conv2d, q)], "module_name": [("head", q)] or {"head": q}}`.

    "" < module_type < module_name, and a `qconfig` attribute beats them all. A functional call
    takes the qconfig of the module it belongs to. Types are classes or their names. QF112 for
    another key, QF250 for names and types that match nothing.
    """

    entries: Mapping[str, Any]

    @property
    def name(self) -> str:  # type: ignore[override]
        return "qconfig_dict"

    def decide(self, scene: Scene, taken: frozenset[str]) -> Answer:
        wrong = [_unknown_key(key) for key in self.entries if key not in KEYS]
        decisions: dict[str, Decision] = {}
        if "" in self.entries:
            everything = Decision(self.entries[""], self.name)
            decisions = dict.fromkeys(scene.units, everything)
        for kind, qconfig in _pairs(self.entries.get("module_type", ())):
            word = kind if isinstance(kind, str) else kind.__name__
            units = [u for u in scene.units if _of_type(scene, u, word)]
            decisions.update(dict.fromkeys(units, Decision(qconfig, f"{self.name}: type {word}")))
            if not units:
                wrong.append(_unknown_type(scene, word))
        names = dict(_pairs(self.entries.get("module_name", ())))
        found = covered(scene, tuple(names), self.name)
        for unit, name in found.by_unit.items():
            decisions[unit] = Decision(names[name], f"{self.name}: `{name}`", explicit=True)
        return Answer(decisions, found.changes, (*wrong, *found.unknown))


def _pairs(entries: Any) -> Iterable[tuple[Any, QConfig | None]]:
    return tuple(entries.items()) if isinstance(entries, Mapping) else tuple(entries)


def _of_type(scene: Scene, unit: str, word: str) -> bool:
    """Whether a member, or a module around one that has no type of its own to go by, has it."""
    members = scene.members(unit)
    if any(scene.inventory.by_address[m].type == word for m in members):
        return True
    # a container of that type, for functional calls and for what lies below it
    parents = {".".join(m.split(".")[:n]) for m in members for n in range(m.count(".") + 1)}
    return any(type(scene.modules[p]).__name__ == word for p in parents if p in scene.modules)


def _unknown_key(key: Any) -> Diagnostic:
    keys = ", ".join(f"`{k}`" for k in KEYS)
    return Diagnostic("QF112", f"a qconfig_dict has no key `{key}`", notes=(f"it has {keys}",))


def _unknown_type(scene: Scene, word: str) -> Diagnostic:
    types = {scene.inventory.by_address[m].type for u in scene.units for m in scene.members(u)}
    near = nearest(word, tuple(sorted(types))) or tuple(sorted(types))
    notes = (f"the nearest: {', '.join(f'`{n}`' for n in near)}",)
    return Diagnostic("QF250", f"qconfig_dict: no module is of type `{word}`", notes=notes)
