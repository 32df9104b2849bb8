"""module_name: a qconfig by name; a name that matches nothing is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qflow.quantization.deciding import Answer, Decision, Setter
from qflow.quantization.names import covered
from qflow.quantization.qconfig import QConfig
from qflow.quantization.scene import Scene


@dataclass(frozen=True, eq=False)
class ModuleNameQconfigSetter(Setter):
    """`{name: qconfig}`; None keeps a module float.

    A name is an address, `_generated_add_0` among them, or a module that stands for everything
    below it. The best fit wins: an address, a member of a fusion, the longest module name. A member
    stands for its fusion, which the changelog says. QF250 for names that match nothing.
    """

    qconfigs: Mapping[str, QConfig | None]

    @property
    def name(self) -> str:  # type: ignore[override]
        return "ModuleNameQconfigSetter"

    def decide(self, scene: Scene, taken: frozenset[str]) -> Answer:
        found = covered(scene, tuple(self.qconfigs), self.name)
        decisions = {
            unit: Decision(self.qconfigs[name], f"{self.name} `{name}`", explicit=bool(name))
            for unit, name in found.by_unit.items()
        }
        return Answer(decisions, found.changes, found.unknown)
