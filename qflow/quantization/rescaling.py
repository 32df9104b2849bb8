"""rescaling: scales of a calibrated model found anew from its histograms, without new data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from torch import nn

from qflow import registry
from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.field_observers import dtype_of
from qflow.quantization.observers.histogram import Histogram, methods


def reset_scale(
    model: nn.Module,
    method: str = "percentile",
    method_kwargs: Mapping[str, Any] | None = None,
    *,
    dtype: Any = None,
    prefix: str = "",
) -> tuple[str, ...]:
    """Read every `histogram` observer of a model by another method; gives the paths changed.

    Only fake-quantizers of `dtype` (None: of any) whose path starts with the address `prefix`.
    `method_kwargs={"percentile": 0.999999}`: here the percentile is a fraction, as in the
    toolchain's function of that name, while the observer's own field is in percent. Frozen scales
    stay. Histograms are not in a state dict: see `load_observer_tensors`.

    Raises QflowError: QF110 for another method, QF112 for another keyword, QF111 for a percentile
    that is no fraction, QF411 when no histogram with data is there.
    """
    settings = _settings(method, method_kwargs or {})
    wanted = None if dtype is None else dtype_of(dtype)
    changed = []
    for path, module in _histograms(model, prefix):
        if module.frozen or (wanted is not None and module.dtype != wanted):
            continue
        module.rescale(replace(module.observer, **settings))
        changed.append(path)
    if not changed:
        raise fail(
            Diagnostic(
                "QF411",
                "no histogram with data"
                + (f" below `{prefix}`" if prefix else "")
                + (f" for {wanted}" if wanted is not None else ""),
                help="calibrate with the observer `histogram` first, in the same process, or "
                "load what `observer_tensors` gave: a state dict does not hold histograms",
            )
        )
    return tuple(changed)


def _settings(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    if method not in methods():
        near = registry.nearest(method, methods()) or methods()
        raise fail(
            Diagnostic(
                "QF110",
                f"a histogram is not read by `{method}`",
                help=f"the nearest: {', '.join(f'`{n}`' for n in near)}",
            )
        )
    takes = {"percentile"} if method == "percentile" else set()
    if extra := sorted(set(given) - takes):
        takes_text = "`percentile`" if takes else "nothing"
        text = f"the method `{method}` takes {takes_text}, not `{extra[0]}`"
        raise fail(Diagnostic("QF112", text))
    if "percentile" not in given:
        return {"method": method}
    fraction = float(given["percentile"])
    if not 0 < fraction <= 1:
        raise fail(
            Diagnostic(
                "QF111",
                f"here `percentile` is a fraction, above 0 and up to 1, not {fraction}",
                help=f"write {fraction / 100} for {fraction} percent" if fraction > 1 else "",
            )
        )
    return {"method": method, "percentile": fraction * 100}


def _histograms(model: nn.Module, prefix: str) -> Iterator[tuple[str, FakeQuantize]]:
    """Fake-quantizers with a histogram that saw data, at `prefix` or below it."""
    for path, module in model.named_modules():
        below = not prefix or path == prefix or path.startswith(prefix.rstrip(".") + ".")
        if not below or not isinstance(module, FakeQuantize):
            continue
        if isinstance(module.observer, Histogram) and module.activation_post_process.has_data:
            yield path, module
