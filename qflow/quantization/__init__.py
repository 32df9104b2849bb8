"""Quantization: fake-quantizers, observers, states, and models prepared for them.

Names load on first use: the front half reads the facts of observers without torch. Which file does
what:

- a tensor's grid: fake_quantize, factory, statistics, grid, rounding, states, stubs; place (where
  in the network it lies, which some vendors' rules ask); observer and
  `observers/` find scales, place tells them where in a network, `learned/` trains them,
  field_observers and observer_v2 have the toolchain's names; `calibrators/` is what other tools do
  around theirs
- what is asked: qconfig, default_qconfigs, attributes; qconfig_template with `setters/`, of which
  the first one wins; qconfig_setter with `templates/`, of which the last one wins
- `prepare`, in this order: preparing (example_inputs, prepare_method), region and whole_numbers
  (what is quantized at all), scene (what a setter sees), deciding, names, high_precision, choosing
  (with the fusions), settling (tensors, falling_back to what the march has, operands), attach and
  quantized (the modules; a result that is unshared is rounded in its place), fusing_modes; facts
  are what is known afterwards, changelog and saying tell it
- other ways in: attach.prepare_plan for a .qf, fx_api, eager with eager_fusion, eager_trace,
  entrance and float_functional
- before or without training: observer_params, rescaling, freezing; layerwise with reconstruction,
  its reconstruction_settings, and correction; colour with colour_space
- checks: checking with watching, layers, remarks, subject (what rules see), fingerprint,
  check_text, check_tables and table; unknown_scales
- checkpoints: loading with state_file, key_names, key_groups and reconciling; diagnosing;
  checkpoint holds statistics of observers; sensitivity_table reads tables
- towards integers: prepared is the record that lowering reads, recording makes it with extent,
  probing (what follows the batch), feeding (what is read from outside), insides (of a module that
  is kept whole), truth (masks) and lowest (the smallest value that was seen); converting
"""

from importlib import import_module
from typing import Any

_HOME = {
    "CheckResult": "checking",
    "DeQuantStub": "stubs",
    "FakeQuantState": "states",
    "FakeQuantize": "fake_quantize",
    "LoadReport": "loading",
    "PrepareMethod": "prepare_method",
    "QATMode": "fusing_modes",
    "QConfig": "qconfig",
    "QuantStub": "stubs",
    "bias_correction": "correction",
    "check_model": "checking",
    "check_qat_model": "checking",
    "check_qconfig": "check_tables",
    "check_unfused_operations": "check_tables",
    "convert": "converting",
    "convert_fx": "converting",
    "doctor": "diagnosing",
    "fold_batch_norm": "fusing_modes",
    "freeze": "freezing",
    "frozen": "freezing",
    "fuse_fx": "fx_api",
    "fuse_known_modules": "eager_fusion",
    "fuse_modules": "eager_fusion",
    "get_module_called_count": "check_tables",
    "get_qat_mode": "fusing_modes",
    "get_qconfig": "qconfig",
    "insert_centered_yuv2bgr": "colour",
    "insert_centered_yuv2rgb": "colour",
    "load_checkpoint": "loading",
    "load_observer_params": "observer_params",
    "load_observer_tensors": "checkpoint",
    "observer_tensors": "checkpoint",
    "prepare": "preparing",
    "prepare_plan": "attach",
    "prepare_qat": "eager",
    "prepare_qat_fx": "fx_api",
    "record": "recording",
    "set_fake_quantize": "states",
    "set_qat_mode": "fusing_modes",
    "set_states": "states",
    "unfreeze": "freezing",
    "unobserved": "unknown_scales",
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
