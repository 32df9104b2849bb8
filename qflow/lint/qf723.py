"""QF723 (P23): a backbone that is frozen in one way and moves in another."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._flow import Event, flows, mode_of, state_of, within
from qflow.lint._script import Script
from qflow.plan.subject import ModuleFact, Subject


class Qf723:
    """The optimizer moves a frozen backbone, or its batch statistics or scales drift.

    Why: freezing has three parts: `requires_grad_(False)` stops the weights, `eval()` the batch
    statistics, VALIDATION the scales. One of them alone is half a freeze, and every later
    `model.train()` undoes the second.

    How to mend: do all three, again after each `model.train()`; or `freeze(model.backbone)`, which
    lasts.

    Anti-pattern:

        model.backbone.requires_grad_(False)
        set_fake_quantize(model.train(), FakeQuantState.QAT)

    Best practice:

        set_fake_quantize(model.train(), FakeQuantState.QAT)
        model.backbone.requires_grad_(False)
        model.backbone.eval()
        set_fake_quantize(model.backbone, FakeQuantState.VALIDATION)
    """

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        modules = subject.modules or ()
        if not any(m.training for m in modules if not m.address):
            return
        if not any(m.trainable for m in modules) or not any("qat" in m.states for m in modules):
            return
        half = [m for m in modules if m.address and m.parameters and _is_half_frozen(m)]
        if half:
            yield warning(
                "QF723",
                f"{len(half)} modules are frozen only in part",
                subject.at,
                "freeze all of it: requires_grad, eval() and VALIDATION",
                *(f"`{m.address}`: {_what(m)}" for m in half[:6]),
                *((f"and {listed([m.address for m in half[6:]])}",) if half[6:] else ()),
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for flow in flows(script):
            states = [state_of(e) for e in flow if e.name == "set_fake_quantize"]
            if "QAT" not in states:
                continue
            for part in dict.fromkeys(e.on for e in flow if _stops_gradients(e) and "." in e.on):
                yield from _part(script, flow, part)


def _is_half_frozen(module: ModuleFact) -> bool:
    """Its weights stand and something else moves, or they move and its scales stand."""
    scales_move = "qat" in module.states
    if not module.trainable:
        return scales_move or (module.bn and module.training)
    return not module.training and "validation" in module.states


def _what(module: ModuleFact) -> str:
    if module.trainable:
        return "it is in eval mode and VALIDATION, but its parameters have requires_grad"
    moves = "its scales move (QAT)" if "qat" in module.states else "its batch statistics move"
    return f"its parameters stand, but {moves}"


def _part(script: Script, flow: tuple[Event, ...], part: str) -> Iterator[Diagnostic]:
    """One frozen sub-model: what is done to it, and in which order."""
    held = [i for i, e in enumerate(flow) if e.on == part and mode_of(e) == "eval"]
    valid = any(
        e.name == "set_fake_quantize" and e.args[:1] == (part,) and state_of(e) == "VALIDATION"
        for e in flow
    )
    first = next(e for e in flow if e.on == part and _stops_gradients(e))
    lacking = [
        text
        for done, text in ((held, f"`{_shown(part)}.eval()`"), (valid, "the state VALIDATION"))
        if not done
    ]
    if lacking:
        yield warning(
            "QF723",
            f"`{_shown(part)}` is frozen only in part: {' and '.join(lacking)} is missing",
            script.span(first.node),
            "freeze all of it, or call `freeze` on it",
        )
        return
    for event in flow[held[-1] + 1 :]:
        if mode_of(event) == "train" and part != event.on and within(part, event.on):
            yield warning(
                "QF723",
                f"`train()` puts the frozen `{_shown(part)}` back into training mode",
                script.span(event.node),
                f"call `{_shown(part)}.eval()` after it",
            )
            return


def _stops_gradients(event: Event) -> bool:
    value = event.value
    if event.name == "requires_grad_" and isinstance(event.node, ast.Call):
        value = event.node.args[0] if event.node.args else None
    elif event.name != "=requires_grad":
        return False
    return getattr(value, "value", None) is False


def _shown(symbol: str) -> str:
    """A symbol as the text has it: `prepare#3.backbone` is some model's backbone."""
    head, _, rest = symbol.partition(".")
    return f"{head.partition('#')[0]}.{rest}" if "#" not in head else rest
