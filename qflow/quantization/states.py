"""States: which fake-quantizers observe and which round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from importlib import import_module

from torch import nn

from qflow import registry
from qflow.diagnostics import Diagnostic, fail
from qflow.plan.subject import Subject
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.key_names import INPUT
from qflow.quantization.saying import require_module, say


class FakeQuantState(Enum):
    """The four states of the field."""

    QAT = "qat"
    """Observe and round."""
    CALIBRATION = "calibration"
    """Observe only."""
    VALIDATION = "validation"
    """Round only."""
    _FLOAT = "float"
    """Neither."""

    FLOAT = "float"


_SWITCHES = {
    FakeQuantState.QAT: (True, True),
    FakeQuantState.CALIBRATION: (True, False),
    FakeQuantState.VALIDATION: (False, True),
    FakeQuantState._FLOAT: (False, False),
}
"""State to (observing, quantizing)."""

_TRAINING = {
    FakeQuantState.QAT: True,
    FakeQuantState.CALIBRATION: False,
    FakeQuantState.VALIDATION: False,
}
"""Mode the model must be in already."""


def set_fake_quantize(model: nn.Module, state: FakeQuantState) -> None:
    """Set every fake-quantizer of a model or sub-model, as the field's function of that name does.

    Call `model.train()` before QAT, `model.eval()` before CALIBRATION and VALIDATION (QF242
    otherwise). Observers run in training mode only: CALIBRATION puts the fake-quantizers, and
    nothing else, into it. So a later `eval()` would stop calibration: the next forward raises
    QF242, as it does where a later `train()` would have batch norms and dropout calibrate. A model
    without any fake-quantizer is reported (QF258), and so is QAT with observers of calibration
    (QF716).
    """
    if not isinstance(state, FakeQuantState):
        known = ", ".join(f"FakeQuantState.{s.name}" for s in FakeQuantState)
        given = f"`{state!r}`" if isinstance(state, str) else f"a {type(state).__name__}"
        message = f"{given} is no state of a fake-quantizer"
        raise fail(Diagnostic("QF113", message, help=f"use one of {known}"))
    require_module(model, "set_fake_quantize")
    wanted = _TRAINING.get(state)
    if wanted is not None and model.training != wanted:
        call = "train" if wanted else "eval"
        raise fail(
            Diagnostic(
                "QF242",
                f"the state {state.name} needs a model in {call} mode",
                help=f"call `model.{call}()` first, then `set_fake_quantize`",
            )
        )
    quantizers = [m for m in model.modules() if isinstance(m, FakeQuantize)]
    if not quantizers:
        say([_nothing_to_set(model, state)])
    for quantizer in quantizers:
        _set(quantizer, state)
    if state is FakeQuantState.QAT:
        say(_calibrating(model))


def set_states(prepared: nn.Module, states: Mapping[str, str]) -> None:
    """Set the state of each address: operands, weight and output alike; others keep theirs.

    Call it after `train()` or `eval()`: it turns the observers that the state needs on again.
    Raises KeyError for an address the model does not have.
    """
    modules = dict(prepared.named_modules())
    for address, word in states.items():
        for quantizer in _own(modules[address]):
            _set(quantizer, FakeQuantState(word))


def _own(module: nn.Module) -> Iterator[FakeQuantize]:
    """The fake-quantizers of one module, without those of modules inside it."""
    operands = module._modules.get(INPUT)
    for child in (*module.children(), *(operands.children() if operands is not None else ())):
        if isinstance(child, FakeQuantize):
            yield child


def _set(module: FakeQuantize, state: FakeQuantState) -> None:
    module.observing, module.quantizing = _SWITCHES[state]
    module.train(module.observing)


def _calibrating(model: nn.Module) -> Iterator[Diagnostic]:
    facts = import_module("qflow.quantization.subject").scale_facts(model)
    rule = registry.load("lint", "qf716")()
    yield from rule.check_model(Subject(scales=tuple(facts)))


def _nothing_to_set(model: nn.Module, state: FakeQuantState) -> Diagnostic:
    return Diagnostic(
        "QF258",
        f"`{type(model).__name__}` has no fake-quantizer that could be set to {state.name}",
        help="prepare the model first, and keep what `prepare` returns",
        severity="warning",
    )
