"""QF714 (P14): the march is not set, set twice, or misspelt."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._flow import PREPARES, Event, main_flow
from qflow.lint._script import Script, dotted, keyword
from qflow.plan.subject import Subject


class Qf714:
    """A compile error, or results that differ between preparing and compiling.

    Why: the march decides dtypes, tails and rounding. Prepared for one and compiled for another, a
    model has grids the hardware does not; `March.Bayes` is no member at all.

    How to mend: `set_march` once, at the top, with a name in capitals.

    Anti-pattern:

        model = prepare(net, x)
        set_march(March.NASH_M)

    Best practice:

        set_march(March.NASH_M)
        model = prepare(net, x)
    """

    said_by = ("QF251",)

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        if None not in (subject.march, subject.current_march):
            if subject.march != subject.current_march:
                yield warning(
                    "QF714",
                    f"the model was prepared for {subject.march}, and {subject.current_march} is "
                    "set now",
                    subject.at,
                    f"prepare it again, or `set_march({subject.march!r})`",
                )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        yield from _misspelt(script)
        seen: list[str] = []
        for event in main_flow(script):
            if event.name == "set_march":
                said = _march(event)
                if seen and said != seen[-1]:
                    text = f"the march is set again, from {seen[-1]} to {said}"
                    yield warning("QF714", text, script.span(event.node), "set it once, at the top")
                seen.append(said)
            elif event.name in PREPARES and not seen and not _named(event):
                yield warning(
                    "QF714",
                    "no march is set before this",
                    script.span(event.node),
                    "call `set_march(March.NASH_M)` at the top",
                )


def _misspelt(script: Script) -> Iterator[Diagnostic]:
    for node in (n for n in script.nodes if isinstance(n, ast.Attribute)):
        owner = dotted(node.value)
        if owner.rpartition(".")[2] == "March" and not node.attr.isupper():
            right = node.attr.upper()
            yield warning(
                "QF714",
                f"`March.{node.attr}` does not exist",
                script.span(node),
                f"names are in capitals: `March.{right}`",
            )


def _march(event: Event) -> str:
    if event.args and event.args[0]:
        return event.args[0].rpartition(".")[2]
    call = event.node
    value = call.args[0] if isinstance(call, ast.Call) and call.args else None
    return str(getattr(value, "value", "an expression")).upper().replace("-", "_")


def _named(event: Event) -> bool:
    """The call names a march itself, or is no function of a quantization package."""
    call = event.node
    foreign = event.full and "quantization" not in event.full and "." in event.full
    return bool(foreign) or (isinstance(call, ast.Call) and keyword(call, "march") is not None)
