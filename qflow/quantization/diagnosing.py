"""diagnosing: why scales of a checkpoint are exactly 1, and which keys do not fit, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from qflow import lint
from qflow.diagnostics import Diagnostic, Severity, sort
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.key_names import split
from qflow.quantization.loading import Comparison, compare

_RANGE = "activation_post_process"


def doctor(state: Mapping[str, Tensor], prepared: nn.Module) -> tuple[Diagnostic, ...]:
    """Everything about a checkpoint that makes a model wrong without an error; changes nothing.

    QF321 for each scale that is, or would stay, exactly 1, with the reason: a warning where it was
    never observed or its key is missing, a note where 1 is the true scale. QF320 for every group of
    keys that does not fit, with the likely cause, and for a scale that no grid can have; QF730 of
    the rules. Sorted.
    """
    found = compare(prepared, state)
    # QF702 sums up what is said here one by one
    rules = (d for d in lint.run_model(found.subject) if d.code != "QF702")
    return sort((*_ones(prepared, found), *_groups(found), *rules))


def _ones(prepared: nn.Module, found: Comparison) -> Iterator[Diagnostic]:
    causes = {g.address: g.cause for g in found.groups if g.missing}
    state = found.reconciled.state
    for path, quantizer in prepared.named_modules():
        if not isinstance(quantizer, FakeQuantize):
            continue
        scale = state.get(f"{path}.scale")
        if scale is None and not found.float_only:
            cause = causes.get(split(f"{path}.scale")[0], "")
            if quantizer.fixed is None:
                yield _one(path, "its key is missing", "it stays 1", "warning", cause)
        elif scale is not None and not bool((scale.real > 0).all() and scale.isfinite().all()):
            yield _impossible(path)
        elif scale is not None and scale.numel() and bool((scale == 1).all()):
            yield _stored(path, quantizer, state)


def _impossible(path: str) -> Diagnostic:
    return Diagnostic(
        "QF320",
        f"the scale of `{path}` is not a finite number above 0",
        notes=("everything it rounds becomes 0 or NaN",),
        help="run calibration batches through the model and save it again",
        severity="warning",
    )


def _stored(path: str, quantizer: FakeQuantize, state: Mapping[str, Tensor]) -> Diagnostic:
    """A scale that the checkpoint holds as 1."""
    low, high = (state.get(f"{path}.{_RANGE}.{name}") for name in ("min_val", "max_val"))
    if quantizer.fixed is not None and quantizer.fixed == 1:
        return _one(path, "it is fixed to 1", "", "note")
    if low is None or high is None:
        return _one(path, "it is stored as 1, and no range beside it", "never observed?", "warning")
    if not bool((low <= high).all()):
        what = "it was never observed: min_val and max_val are as at the start"
        return _one(path, what, "the checkpoint was saved before any data reached it", "warning")
    if _follows(low, high, quantizer):
        what = f"that is the scale of its range, {float(low.min()):g} to {float(high.max()):g}"
        return _one(path, what, "", "note")
    what = f"it is stored as 1, its range is {float(low.min()):g} to {float(high.max()):g}"
    return _one(path, what, "somebody set it, or the scale was reset after calibration", "warning")


def _follows(low: Tensor, high: Tensor, quantizer: FakeQuantize) -> bool:
    """Whether amax / divisor is 1, up to float32; a tensor of zeros has amax 1."""
    amax = low.abs().maximum(high.abs()).double()
    scale = amax / quantizer.grid.divisor
    return bool(torch.isclose(scale, torch.ones_like(scale), rtol=1e-5).all())


def _one(path: str, what: str, more: str, severity: Severity, cause: str = "") -> Diagnostic:
    help = "run calibration batches through the model and save it again"
    return Diagnostic(
        "QF321",
        f"the scale of `{path}` is 1: {what}",
        notes=tuple(n for n in (more, cause) if n),
        help="" if severity == "note" else help,
        severity=severity,
    )


def _groups(found: Comparison) -> Iterator[Diagnostic]:
    """Keys that do not fit; of a float checkpoint the missing scales are one finding."""
    if found.float_only and found.groups:
        yield Diagnostic(
            "QF320",
            f"this is a float checkpoint: it has no scale for {len(found.groups)} modules",
            help="load it, then calibrate",
            severity="note",
        )
        return
    for group in found.groups:
        yield Diagnostic("QF320", group.text, severity="warning")
