"""Quantization: fake-quantizers, observers, states, and models prepared for them.

Names load on first use: the front half reads the facts of observers without torch.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "DeQuantStub": "stubs",
    "FakeQuantState": "states",
    "FakeQuantize": "fake_quantize",
    "QConfig": "qconfig",
    "QuantStub": "stubs",
    "CheckResult": "checking",
    "check_model": "checking",
    "check_qat_model": "checking",
    "freeze": "freezing",
    "frozen": "freezing",
    "load_observer_tensors": "checkpoint",
    "observer_tensors": "checkpoint",
    "prepare": "preparing",
    "prepare_plan": "attach",
    "record": "recording",
    "set_fake_quantize": "states",
    "set_states": "states",
    "unfreeze": "freezing",
    "unobserved": "check",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
