"""QF722 (P22): a model whose modules or hooks changed after it was prepared."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._flow import PREPARES, flows, within
from qflow.lint._script import Script
from qflow.plan.subject import Subject

_HOOKS = ("register_forward_hook", "register_forward_pre_hook", "register_module", "add_module")


class Qf722:
    """Operators that were replaced are silently not used.

    Why: prepare records how the model runs. A module that is exchanged afterwards has no
    fake-quantizer, and a hook that comes or goes changes what runs.

    How to mend: change the float model, then prepare it.

    Anti-pattern:

        model = prepare(net, x)
        model.head = nn.Linear(64, 10)

    Best practice:

        net.head = nn.Linear(64, 10)
        model = prepare(net, x)
    """

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        if subject.moved:
            yield warning(
                "QF722",
                f"{listed(subject.moved)} changed after the model was prepared",
                subject.at,
                "change the float model and prepare it again",
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for flow in flows(script):
            prepared: list[str] = []
            for event in flow:
                if event.name in PREPARES and event.result:
                    prepared.append(event.result)
                replaces = event.name.startswith("=") and isinstance(event.value, ast.Call)
                if not replaces and event.name not in _HOOKS:
                    continue
                if any(within(event.on, model) for model in prepared):
                    yield warning(
                        "QF722",
                        "a prepared model is changed here",
                        script.span(event.node),
                        "do this to the float model, before it is prepared",
                    )
