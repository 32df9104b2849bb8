"""QF728 (P28): a model without fake-quantizers that is to be exported."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._flow import EXPORTS, PREPARES, flows
from qflow.lint._script import Script
from qflow.plan.subject import Subject


class Qf728:
    """The export works, and the exported model is float.

    Why: a model that was never prepared has nothing that says what is integer. In the field the
    export says nothing; here it is refused.

    How to mend: export what `prepare` returned, not what it was given.

    Anti-pattern:

        model = prepare(net, x)
        export(net, x)

    Best practice:

        model = prepare(net, x)
        export(model, x)
    """

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        if subject.scales is not None and not subject.scales:
            yield warning(
                "QF728",
                "this model has no fake-quantizer",
                subject.at,
                "prepare it, and go on with the model that `prepare` returns",
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for flow in flows(script):
            given: set[str] = set()
            for event in flow:
                if event.name in PREPARES and event.args:
                    given.add(event.args[0])
                elif event.name in EXPORTS and event.args and event.args[0] in given - {""}:
                    yield warning(
                        "QF728",
                        "this is the float model that was given to prepare",
                        script.span(event.node),
                        "export the model that prepare returned",
                    )
