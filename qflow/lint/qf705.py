"""QF705 (P5): the state of fake-quantizers and the mode of the model do not belong together."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._flow import EXPORTS, Event, flows, mode_of, state_of
from qflow.lint._script import Script
from qflow.plan.subject import Subject

_EVALUATES = ("evaluate", "validate", "evaluation", "validation", *EXPORTS)
_NEEDS = {"QAT": "train", "VALIDATION": "eval", "CALIBRATION": "eval"}


class Qf705:
    """Accuracy is wrong or changes from run to run in evaluation, or the export refuses.

    Why: VALIDATION belongs to `eval()` and QAT to `train()`. In any other pair either batch
    statistics move while nothing should, or observers stand still while they should move.

    How to mend: set the mode, then the state; evaluate and export in eval mode and VALIDATION.

    Anti-pattern:

        model.train()
        set_fake_quantize(model, FakeQuantState.QAT)
        train(model)
        evaluate(model)

    Best practice:

        model.eval()
        set_fake_quantize(model, FakeQuantState.VALIDATION)
        evaluate(model)
    """

    said_by = ("QF242",)

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        modes = {m.address: m.training for m in subject.modules or ()}
        wrong = [
            s.path
            for s in subject.scales or ()
            if (s.state == "qat" and not s.training)
            or (s.state == "validation" and modes.get(s.address, False))
        ]
        if wrong:
            yield warning(
                "QF705",
                f"state and mode of {len(wrong)} fake-quantizers do not belong together",
                subject.at,
                "QAT goes with `model.train()`, VALIDATION with `model.eval()`",
                f"this concerns {listed(wrong)}",
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for flow in flows(script):
            yield from _walk(script, flow)


def _walk(script: Script, flow: tuple[Event, ...]) -> Iterator[Diagnostic]:
    mode: dict[str, str] = {}
    state: dict[str, str] = {}
    for event in flow:
        if mode_of(event):
            mode[event.on] = mode_of(event)
        elif event.name == "set_fake_quantize" and len(event.args) > 1:
            model = event.args[0]
            state[model] = state_of(event)
            needs = _NEEDS.get(state[model])
            if needs and mode.get(model, needs) != needs:
                text = f"{state[model]} is set on a model in {mode[model]} mode"
                yield _finding(script, event, text, f"call `{needs}()` before")
        elif event.name in _EVALUATES:
            for model in (a for a in (event.on, *event.args) if state.get(a)):
                if state[model] in ("QAT", "CALIBRATION") or mode.get(model) == "train":
                    text = f"this runs in the state {state[model]}, mode {mode.get(model, 'eval')}"
                    yield _finding(script, event, text, "set `eval()` and VALIDATION before")


def _finding(script: Script, event: Event, text: str, help: str) -> Diagnostic:
    return warning("QF705", text, script.span(event.node), help)
