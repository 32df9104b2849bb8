"""fingerprint: how a model was built when it was prepared, to notice changes made afterwards."""

from __future__ import annotations

from torch import nn

from qflow.quantization.fake_quantize import FakeQuantize

_KEY = "qflow.fingerprint"
Fingerprint = dict[str, tuple[str, tuple[str, ...]]]


def keep_fingerprint(prepared: nn.Module) -> None:
    """Note the structure, once; later calls leave what was noted."""
    meta = getattr(prepared, "meta", None)
    if not isinstance(meta, dict):
        meta = {}
        object.__setattr__(prepared, "meta", meta)
    meta.setdefault(_KEY, _fingerprint(prepared))


def moved(prepared: nn.Module) -> tuple[str, ...] | None:
    """Addresses whose class or hooks are others, or that came or went; None: nothing was noted."""
    meta = getattr(prepared, "meta", None)
    before: Fingerprint | None = meta.get(_KEY) if isinstance(meta, dict) else None
    if before is None:
        return None
    now = _fingerprint(prepared)
    return tuple(a for a in dict.fromkeys((*before, *now)) if before.get(a) != now.get(a))


def _fingerprint(model: nn.Module) -> Fingerprint:
    return {a: (type(m).__name__, _hooks(m)) for a, m in model.named_modules() if _counts(m)}


def _counts(module: nn.Module) -> bool:
    # replacing a fake-quantizer is what `freeze` and learned scales do
    return not isinstance(module, FakeQuantize) and not type(module).__module__.startswith(
        "qflow.quantization.statistics"
    )


def _hooks(module: nn.Module) -> tuple[str, ...]:
    """Hooks of others; our own come and go."""
    held = (*module._forward_pre_hooks.values(), *module._forward_hooks.values())
    named = (getattr(h, "__module__", None) or type(h).__module__ for h in held)
    return tuple(sorted(n for n in named if not str(n).startswith("qflow.")))
