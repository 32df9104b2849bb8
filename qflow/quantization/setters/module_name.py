"""module_name: a qconfig by name; a name that matches nothing is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.deciding import Answer, Decision, Setter
from qflow.quantization.names import covered
from qflow.quantization.qconfig import QConfig, require_qconfig
from qflow.quantization.scene import Scene


@dataclass(frozen=True, eq=False)
class ModuleNameQconfigSetter(Setter):
    """`{name: qconfig}`; None keeps a module float.

    A name is an address, `_generated_add_0` among them, or a module that stands for everything
    below it. The best fit wins: an address, a member of a fusion, the longest module name. A member
    stands for its fusion, which the changelog says. QF113 for values of another type, QF250 for
    names that match nothing.
    """

    qconfigs: Mapping[str, QConfig | None]

    def __post_init__(self) -> None:
        if not isinstance(self.qconfigs, Mapping):
            text = f"{self.name} takes names and qconfigs, not a {type(self.qconfigs).__name__}"
            raise fail(Diagnostic("QF113", text, help='write `{"conv1": qconfig}`'))
        for name, value in self.qconfigs.items():
            help = "make one with `get_qconfig`; a `ModuleNameTemplate` is what takes dtypes"
            require_qconfig(value, f"{self.name}: what `{name}` gets", help)

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
