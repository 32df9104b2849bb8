"""QF703 (P3): scales that no data ever set."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._flow import EXPORTS, PREPARES, STILL, Event, flows, state_of
from qflow.lint._script import Script
from qflow.plan.subject import Subject

_LOADS = ("load_state_dict", "load_checkpoint", "load_observer_params")


class Qf703:
    """After the export many scales, or all, are exactly 1.

    Why: a scale is 1 from the start and stays so until an observer sees data. The model was not
    calibrated, a part of it never ran, or the checkpoint holds ones.

    How to mend: run calibration batches through the whole model, then set VALIDATION.

    Anti-pattern:

        model = prepare(net, x)
        export(model, x)

    Best practice:

        model = prepare(net, x).eval()
        set_fake_quantize(model, FakeQuantState.CALIBRATION)
        for batch in batches: model(batch)
        set_fake_quantize(model, FakeQuantState.VALIDATION)
        export(model, x)
    """

    said_by = ("QF401",)

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        scales = subject.scales or ()
        waiting = [s for s in scales if not s.observed and not s.learned]
        begun = any(s.observed and not s.fixed for s in scales)
        late = [s for s in waiting if s.state == "validation" or (begun and s.state != "qat")]
        if late:
            yield warning(
                "QF703",
                f"{len(late)} of {len(scales)} scales were never observed",
                subject.at,
                "run calibration batches through the whole model first",
                f"this concerns {listed([s.path for s in late])}",
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for flow in flows(script):
            for place, event in enumerate(flow):
                if event.name in EXPORTS and event.args:
                    made = _prepared(flow[:place], event.args[0])
                    if made is not None and not _filled(flow[made + 1 : place], event.args[0]):
                        yield warning(
                            "QF703",
                            "this model is exported as it was prepared: no scale was observed",
                            script.span(event.node),
                            "calibrate it, or load a checkpoint of a calibrated one, before",
                        )


def _prepared(flow: tuple[Event, ...], model: str) -> int | None:
    """Place of the call that prepared this model."""
    return next((i for i, e in enumerate(flow) if e.name in PREPARES and e.result == model), None)


def _filled(flow: tuple[Event, ...], model: str) -> bool:
    """Whether something between may have given it scales: a load, or a run while calibrating."""
    observing = False
    for event in flow:
        if event.name in _LOADS and event.about(model):
            return True
        if event.name == "set_fake_quantize" and event.args[:1] == (model,):
            observing = state_of(event) in ("CALIBRATION", "QAT", "")
        elif observing and event.about(model) and event.name not in STILL:
            return True
    return False
