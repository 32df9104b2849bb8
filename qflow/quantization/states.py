"""States: which fake-quantizers observe and which round."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from torch import nn

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.fake_quantize import FakeQuantize


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
    nothing else, into it, so a later `model.eval()` stops calibration.
    """
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
    for module in model.modules():
        if isinstance(module, FakeQuantize):
            _set(module, state)


def set_states(prepared: nn.Module, states: Mapping[str, str]) -> None:
    """Set the state of each address, activation and weight alike; others keep theirs.

    Call it after `train()` or `eval()`: it turns the observers that the state needs on again.
    Raises KeyError for an address the model does not have.
    """
    modules = dict(prepared.named_modules())
    for address, word in states.items():
        for child in modules[address].children():
            if isinstance(child, FakeQuantize):
                _set(child, FakeQuantState(word))


def _set(module: FakeQuantize, state: FakeQuantState) -> None:
    module.observing, module.quantizing = _SWITCHES[state]
    module.train(module.observing)
