"""QF721 (P21): a float model used after a call that changes it or shares its memory."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._flow import Event, flows
from qflow.lint._script import Script, keyword
from qflow.plan.subject import Subject

SHARES = ("prepare_qat_fx", "fuse_fx", "convert_fx")
IN_PLACE = ("prepare_qat", "convert", "fuse_modules", "fuse_known_modules")


class Qf721:
    """The float model changes while the other is trained, or both give identical results.

    Why: the fx functions of the field share tensors with the model they are given, and
    `inplace=True` says so; comparing the two then compares a model with itself. `prepare` copies.

    How to mend: pass `copy.deepcopy(model)`, or do not touch the float model afterwards.

    Anti-pattern:

        qat = prepare_qat_fx(net)
        compare(net, qat)

    Best practice:

        qat = prepare_qat_fx(copy.deepcopy(net))
        compare(net, qat)
    """

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        if subject.shared_with_float:
            yield warning(
                "QF721",
                f"{len(subject.shared_with_float)} parameters are those of the float model",
                subject.at,
                "prepare `copy.deepcopy(model)`",
                f"this concerns {listed(subject.shared_with_float)}",
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for flow in flows(script):
            for place, event in enumerate(flow):
                model = event.args[0] if event.args else ""
                if not model or not _changes(event):
                    continue
                later = next((e for e in flow[place + 1 :] if e.about(model)), None)
                if later is not None:
                    yield warning(
                        "QF721",
                        f"`{event.name}` shares tensors with this model, which is used again below",
                        script.span(event.node),
                        "pass `copy.deepcopy(...)` of it",
                        f"used again in line {later.node.lineno}",
                    )


def _changes(event: Event) -> bool:
    if event.name in SHARES:
        return True
    given = keyword(event.node, "inplace") if isinstance(event.node, ast.Call) else None
    return event.name in IN_PLACE and getattr(given, "value", None) is True
