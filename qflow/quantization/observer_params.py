"""observer_params: what calibration found, given to a model that was prepared for training."""

from __future__ import annotations

import torch
from torch import nn

from qflow.diagnostics import Diagnostic
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.saying import say


def load_observer_params(calib: nn.Module, qat: nn.Module) -> tuple[Diagnostic, ...]:
    """Give `qat` the scales and ranges of every fake-quantizer both models have; weights stay.

    A scale of `qat` that was given stays. Where the dtypes differ the range is kept and the scale
    follows. Logs and returns QF255 warnings for what only one of the models has, and QF258 where
    one of them has no fake-quantizer at all.
    """
    empty = tuple(_empty(m) for m in (calib, qat) if not _quantizers(m))
    found = empty or _given(calib, qat)
    say(found)
    return found


def _given(calib: nn.Module, qat: nn.Module) -> tuple[Diagnostic, ...]:
    source = _quantizers(calib)
    found: list[Diagnostic] = []
    for path, quantizer in _quantizers(qat).items():
        if path not in source:
            found.append(_missing(path, "calibrated"))
            continue
        given = source.pop(path)
        if quantizer.fixed is not None:
            continue
        quantizer.load_state_dict(given.state_dict())
        if given.dtype != quantizer.dtype:
            with torch.no_grad():
                quantizer.scale.mul_(given.grid.divisor / quantizer.grid.divisor)
    return (*found, *(_missing(path, "prepared for training") for path in source))


def _quantizers(model: nn.Module) -> dict[str, FakeQuantize]:
    return {p: m for p, m in model.named_modules() if isinstance(m, FakeQuantize)}


def _empty(model: nn.Module) -> Diagnostic:
    return Diagnostic(
        "QF258",
        f"`{type(model).__name__}` has no fake-quantizers, so no scale is given to the other model",
        help="pass the calibrated model first and the one to be trained second, both prepared",
        severity="warning",
    )


def _missing(path: str, which: str) -> Diagnostic:
    return Diagnostic("QF255", f"the model that was {which} has no `{path}`", severity="warning")
