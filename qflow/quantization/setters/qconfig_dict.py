"""qconfig_dict: the oldest form: one qconfig for all, by type, by name; the last of these wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.deciding import Answer, Decision, Setter
from qflow.quantization.names import covered
from qflow.quantization.qconfig import QConfig, require_qconfig
from qflow.quantization.scene import Scene
from qflow.registry import nearest

KEYS = ("", "module_type", "module_name")


@dataclass(frozen=True, eq=False)
class QconfigDictSetter(Setter):
    """`{"": q, "module_type": [(nn.Conv2d, q)], "module_name": [("head", q)] or {"head": q}}`.

    "" < module_type < module_name, and a `qconfig` attribute beats them all. A functional call
    takes the qconfig of the module it belongs to. Types are classes or their names. QF113 for
    values of another type, QF112 for another key, QF250 for names and types that match nothing.
    """

    entries: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not isinstance(self.entries, Mapping):
            text = f"a qconfig_dict is a dictionary, not a {type(self.entries).__name__}"
            raise fail(Diagnostic("QF113", text, help='write `{"": qconfig}`'))
        require_qconfig(self.entries.get(""), "what a qconfig_dict gives everything")
        for key in KEYS[1:]:
            _require_pairs(self.entries, key)

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
            word = _word(kind)
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


def _require_pairs(entries: Mapping[str, Any], key: str) -> None:
    """Raises QflowError QF113 unless the entry is a mapping, or a list of pairs, to qconfigs."""
    given = entries.get(key, ())
    lists = isinstance(given, (tuple, list)) and all(
        isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in given
    )
    if not lists and not isinstance(given, Mapping):
        text = f"`{key}` of a qconfig_dict is a list of pairs, or a dictionary, not `{given!r}`"
        raise fail(Diagnostic("QF113", text, help=f'write `{{"{key}": [("head", qconfig)]}}`'))
    for name, value in _pairs(given):
        if not isinstance(name, (str, type)) or (key == "module_name" and isinstance(name, type)):
            raise fail(Diagnostic("QF113", f"`{name!r}` is no name for `{key}` of a qconfig_dict"))
        require_qconfig(value, f"what a qconfig_dict gives `{_word(name)}`")


def _word(kind: Any) -> str:
    return kind if isinstance(kind, str) else str(kind.__name__)


def _of_type(scene: Scene, unit: str, word: str) -> bool:
    """Whether a member, or a module around one that has no type of its own to go by, has it."""
    members = scene.members(unit)
    if any(scene.inventory.by_address[m].type == word for m in members):
        return True
    # a container of that type, for functional calls and for what lies below it
    parents = {".".join(m.split(".")[:n]) for m in members for n in range(m.count(".") + 1)}
    return any(type(scene.modules[p]).__name__ == word for p in parents if p in scene.modules)


def _unknown_key(key: Any) -> Diagnostic:
    keys = ", ".join(f'"{k}"' for k in KEYS)
    return Diagnostic("QF112", f"a qconfig_dict has no key `{key}`", notes=(f"it has {keys}",))


def _unknown_type(scene: Scene, word: str) -> Diagnostic:
    types = {scene.inventory.by_address[m].type for u in scene.units for m in scene.members(u)}
    near = nearest(word, tuple(sorted(types))) or tuple(sorted(types))
    notes = (f"the nearest: {', '.join(f'`{n}`' for n in near)}",)
    return Diagnostic("QF250", f"qconfig_dict: no module is of type `{word}`", notes=notes)
