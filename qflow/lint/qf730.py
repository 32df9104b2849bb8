"""QF730 (P30): a checkpoint of another version, which rounds or observes otherwise."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._flow import Event, flows
from qflow.lint._script import Script
from qflow.plan.subject import Subject

CURRENT = 2
"""Version of a FakeQuantize that rounds half to even."""


class Qf730:
    """The same checkpoint gives other results in a newer version.

    Why: fake-quantizers before version 2 round half up, and loading one switches the field's
    whole library to that. Older checkpoints also hold `observer_enabled` and `fake_quant_enabled`,
    which put back the states they were saved in.

    How to mend: set the state after every load; calibrate anew, or keep the old version to export.

    Anti-pattern:

        set_fake_quantize(model, FakeQuantState.VALIDATION)
        model.load_state_dict(old)

    Best practice:

        model.load_state_dict(old)
        set_fake_quantize(model, FakeQuantState.VALIDATION)
    """

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        checkpoint = subject.checkpoint
        if checkpoint is None:
            return
        old = [a for a, version in checkpoint.versions if version < CURRENT]
        if old:
            yield warning(
                "QF730",
                f"{len(old)} fake-quantizers were saved by a version that rounds half up",
                subject.at,
                "calibrate again, or export with the version that saved it",
                f"this concerns {listed(old)}",
            )
        if checkpoint.switches:
            yield warning(
                "QF730",
                f"{len(checkpoint.switches)} keys hold states of fake-quantizers; they are ignored",
                subject.at,
                "call `set_fake_quantize` after loading",
                f"these are {listed(checkpoint.switches)}",
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for flow in flows(script):
            chosen: set[str] = set()
            late: dict[str, Event] = {}
            for event in flow:
                model = event.args[0] if event.args else ""
                if event.name == "set_fake_quantize":
                    chosen.add(model)
                    late.pop(model, None)
                elif event.name == "load_state_dict" and event.on in chosen:
                    late[event.on] = event
            for event in late.values():
                yield warning(
                    "QF730",
                    "this checkpoint may put back the states it was saved in",
                    script.span(event.node),
                    "call `set_fake_quantize` after loading",
                )
