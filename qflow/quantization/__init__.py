"""Quantization: fake-quantizers, observers, states, and models prepared for them.

Names load on first use: the front half reads the facts of observers without torch.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "CheckResult": "checking",
    "bias_correction": "correction",
    "check_model": "checking",
    "check_qat_model": "checking",
    "freeze": "freezing",
    "frozen": "freezing",
    "unfreeze": "freezing",
    "FakeQuantState": "states",
    "set_fake_quantize": "states",
    "set_states": "states",
    "FakeQuantize": "fake_quantize",
    "DeQuantStub": "stubs",
    "QuantStub": "stubs",
    "PrepareMethod": "prepare_method",
    "prepare": "preparing",
    "prepare_plan": "attach",
    "QATMode": "fusing_modes",
    "fold_batch_norm": "fusing_modes",
    "get_qat_mode": "fusing_modes",
    "set_qat_mode": "fusing_modes",
    "convert": "converting",
    "convert_fx": "converting",
    "fuse_fx": "fx_api",
    "prepare_qat_fx": "fx_api",
    "prepare_qat": "eager",
    "fuse_known_modules": "eager_fusion",
    "fuse_modules": "eager_fusion",
    "insert_centered_yuv2bgr": "colour",
    "insert_centered_yuv2rgb": "colour",
    "load_observer_params": "observer_params",
    "LoadReport": "loading",
    "check_qconfig": "check_tables",
    "check_unfused_operations": "check_tables",
    "get_module_called_count": "check_tables",
    "doctor": "diagnosing",
    "load_checkpoint": "loading",
    "load_observer_tensors": "checkpoint",
    "observer_tensors": "checkpoint",
    "record": "recording",
    "unobserved": "check",
    "QConfig": "qconfig",
    "get_qconfig": "qconfig",
    "weight_reconstruction": "reconstruction",
}
_CONSTANTS = "default_qconfigs"
"""Where the predefined qconfigs are, and what makes them."""

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name.startswith(("default_", "get_default_")):
        constants = import_module(f"{__name__}.{_CONSTANTS}")
        if name in constants.__all__:
            return getattr(constants, name)
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
