"""QF716 (P16): a qconfig of calibration in training, or two ways of setting one at once."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._flow import PREPARES, Event, flows, state_of
from qflow.lint._script import Script, keyword
from qflow.plan.subject import Subject

CALIBRATES = (
    *("Percentile", "Mse", "Kl", "SymmetricKl", "Jsd", "Histogram", "Mix", "Octav"),
    *("AciqGauss", "AciqLaplace"),
)
"""Observers made for calibration: they look at all data at once and do not follow training."""


class Qf716:
    """Training does not converge, or scales are not those that were meant.

    Why: percentile, mse, kl and histogram observers are for calibration; in QAT min-max with a
    moving average follows the weights. A `qconfig` attribute beats every setter, and a table cut
    by both `topk` and `ratio` has no meaning.

    How to mend: calibrate with one prepare, train with another, or keep the scale (`fix_scale`).

    Anti-pattern:

        model = prepare(net, x, default_calibration_qconfig_setter)
        set_fake_quantize(model.train(), FakeQuantState.QAT)

    Best practice:

        model = prepare(net, x, default_qat_qconfig_setter)
        set_fake_quantize(model.train(), FakeQuantState.QAT)
    """

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        found = [
            s
            for s in subject.scales or ()
            if s.role != "weight"
            and s.state == "qat"
            and s.observer in CALIBRATES
            and not (s.fixed or s.frozen or s.learned)
        ]
        if found:
            kinds = ", ".join(sorted({s.observer for s in found}))
            yield warning(
                "QF716",
                f"{len(found)} fake-quantizers train with observers of calibration ({kinds})",
                subject.at,
                "train with min_max, or keep the calibrated scales with `fix_scale=True`",
                f"this concerns {listed([s.path for s in found])}",
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for call in (n for n in script.nodes if isinstance(n, ast.Call)):
            if _given(keyword(call, "topk")) and _given(keyword(call, "ratio")):
                text = "both `topk` and `ratio` are given"
                yield warning("QF716", text, script.span(call), "give one of the two")
        for flow in flows(script):
            yield from _flow(script, flow)


def _flow(script: Script, flow: tuple[Event, ...]) -> Iterator[Diagnostic]:
    calibrates: set[str] = set()
    own: set[str] = set()
    for event in flow:
        if event.name == "=qconfig":
            own.add(event.on.partition(".")[0])
        elif event.name in PREPARES and isinstance(event.node, ast.Call):
            given = keyword(event.node, "qconfig_setter", 2)
            names = ast.unparse(given) if given is not None else ""
            if "calib" in names:
                calibrates.add(event.result)
            if names and event.args and event.args[0].partition(".")[0] in own:
                text = "the `qconfig` attribute set before beats these setters"
                yield warning("QF716", text, script.span(event.node), "use one of the two ways")
        elif event.name == "set_fake_quantize" and state_of(event) == "QAT":
            if event.args[0] in calibrates:
                text = "this model was prepared with a qconfig of calibration"
                help = "prepare the float model again with a QAT setter, and load the state dict"
                yield warning("QF716", text, script.span(event.node), help)


def _given(node: ast.expr | None) -> bool:
    return node is not None and getattr(node, "value", 0) is not None
