"""qconfig_setter: `QconfigSetter`: a reference and templates on top; the last template wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qflow.diagnostics import Diagnostic, fail
from qflow.dtype import DTYPES
from qflow.plan.plan import TensorPlan
from qflow.quantization.deciding import Answer, Decision, Setter
from qflow.quantization.facts import Change
from qflow.quantization.high_precision import note, tails
from qflow.quantization.qconfig import QConfig, require_qconfig
from qflow.quantization.scene import Scene
from qflow.quantization.templates.conv_dtype import ConvDtypeTemplate
from qflow.quantization.templates.matmul_dtype import MatmulDtypeTemplate
from qflow.quantization.templates.module_name import ModuleNameTemplate
from qflow.quantization.templates.request import Request, Requests, Template, Wish
from qflow.quantization.templates.sensitivity import SensitivityTemplate

__all__ = [
    "ConvDtypeTemplate",
    "MatmulDtypeTemplate",
    "ModuleNameTemplate",
    "QconfigSetter",
    "SensitivityTemplate",
]


@dataclass(frozen=True, eq=False)
class QconfigSetter(Setter):
    """Every tensor begins as the reference has it; templates change dtypes, in order.

    The reference gives observers and `fix_scale`. Outputs keep their accumulator where they can,
    unless a template names them. The toolchain's `SetDynamicQuantTemplate`, which is for language
    models, is not there. Raises QflowError QF113 for what is no QConfig and no template.
    """

    reference_qconfig: QConfig
    templates: Sequence[Template] = ()

    def __post_init__(self) -> None:
        if self.reference_qconfig is None:
            text = "`reference_qconfig` of a QconfigSetter is None"
            raise fail(Diagnostic("QF113", text, help="pass `get_qconfig()`"))
        require_qconfig(self.reference_qconfig, "`reference_qconfig` of a QconfigSetter")
        if isinstance(self.templates, Template):
            raise fail(
                Diagnostic("QF113", "`templates` is a list, not one template", help="write `[...]`")
            )
        for template in self.templates:
            if not isinstance(template, Template):
                raise fail(
                    Diagnostic(
                        "QF113",
                        f"`{type(template).__name__}` is no template of a QconfigSetter",
                        help="setters go next to a QconfigSetter, in the tuple of `qconfig_setter`",
                    )
                )

    @property
    def name(self) -> str:  # type: ignore[override]
        return "QconfigSetter"

    def decide(self, scene: Scene, taken: frozenset[str]) -> Answer:
        requests: Requests = dict.fromkeys(scene.units, self._reference())
        changes: list[Change] = []
        notes: list[Diagnostic] = []
        for template in self.templates:
            applied = template.apply(scene, requests)
            requests = applied.requests
            changes += applied.changes
            notes += applied.notes
        requests = dict(requests)
        for tail in tails(scene):
            if tail.unit in taken or not scene.listed(tail.unit) or requests[tail.unit].named:
                continue
            if tail.obstacle:
                notes.append(note(tail))
                continue
            by = f"{requests[tail.unit].by}: high precision output"
            requests[tail.unit] = replace(requests[tail.unit], output=Wish(None), by=by)
        decisions = {unit: self._decision(request) for unit, request in requests.items()}
        return Answer(decisions, tuple(changes), tuple(notes))

    def _reference(self) -> Request:
        q = self.reference_qconfig
        return Request(_wish(q.output_plan), _wish(q.weight_plan()))

    def _decision(self, request: Request) -> Decision:
        qconfig = request.qconfig(self.reference_qconfig)
        return Decision(qconfig, request.by, frozen=request.frozen, explicit=request.named)


def _wish(plan: TensorPlan | None) -> Wish:
    return Wish(None if plan is None else DTYPES[str(plan.dtype.value)])
