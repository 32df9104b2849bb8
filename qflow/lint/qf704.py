"""QF704 (P4): calibration that observes nothing, because `eval()` came after it was set."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._flow import STILL, flows, mode_of, state_of
from qflow.lint._script import Script
from qflow.plan.subject import Subject


class Qf704:
    """Calibration runs, and every scale stays what it was.

    Why: observers work in training mode only. CALIBRATION puts the fake-quantizers, and nothing
    else, into it, so a later `model.eval()` switches them off without a word.

    How to mend: `eval()` first, then the state. A forward in this condition raises QF242.

    Anti-pattern:

        set_fake_quantize(model, FakeQuantState.CALIBRATION)
        model.eval()

    Best practice:

        model.eval()
        set_fake_quantize(model, FakeQuantState.CALIBRATION)
    """

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        idle = [s.path for s in subject.scales or () if s.state == "calibration" and not s.training]
        if idle:
            yield warning(
                "QF704",
                f"{len(idle)} fake-quantizers calibrate, but are in eval mode and observe nothing",
                subject.at,
                "call `model.eval()` first, then `set_fake_quantize(model, CALIBRATION)`",
                f"this concerns {listed(idle)}",
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for flow in flows(script):
            calibrating: set[str] = set()
            for event in flow:
                if event.name == "set_fake_quantize" and event.args:
                    calibrating.discard(event.args[0])
                    if state_of(event) == "CALIBRATION":
                        calibrating.add(event.args[0])
                elif event.on in calibrating and mode_of(event) == "eval":
                    yield warning(
                        "QF704",
                        "`eval()` after CALIBRATION switches the observers off",
                        script.span(event.node),
                        "call `eval()` before `set_fake_quantize`",
                    )
                elif event.name not in STILL:
                    # it has run, or something that may run it had it: what follows is later
                    calibrating -= {event.on, *event.args}
