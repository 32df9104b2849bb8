"""fingerprint: how a model was built when it was prepared, to notice changes made afterwards."""

from __future__ import annotations

from torch import nn

from qflow.quantization.key_names import PARTS

_KEY = "qflow.fingerprint"
Fingerprint = dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]
"""Per address the class, the fake-quantizers it carries, and who made its hooks."""


def keep_fingerprint(prepared: nn.Module) -> None:
    """Note the structure, once; later calls leave what was noted."""
    meta = getattr(prepared, "meta", None)
    if not isinstance(meta, dict):
        meta = {}
        object.__setattr__(prepared, "meta", meta)
    meta.setdefault(_KEY, _fingerprint(prepared))


def moved(prepared: nn.Module) -> tuple[str, ...] | None:
    """Addresses that were exchanged, came or went, or have other hooks; None: nothing was noted."""
    meta = getattr(prepared, "meta", None)
    before: Fingerprint | None = meta.get(_KEY) if isinstance(meta, dict) else None
    if before is None:
        return None
    now = _fingerprint(prepared)
    return tuple(a for a in dict.fromkeys((*before, *now)) if before.get(a) != now.get(a))


def _fingerprint(model: nn.Module) -> Fingerprint:
    return {a: _of(m) for a, m in model.named_modules() if not _is_part(a)}


def _of(module: nn.Module) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    parts = (name for name, _ in module.named_children() if name in PARTS)
    return (
        f"{type(module).__module__}.{type(module).__name__}",
        tuple(sorted(parts)),
        _hooks(module),
    )


def _is_part(address: str) -> bool:
    # what is inside a fake-quantizer is ours: learned scales and freezing change it
    return any(word in PARTS for word in address.split("."))


def _hooks(module: nn.Module) -> tuple[str, ...]:
    """Hooks of others; our own come and go."""
    held = (*module._forward_pre_hooks.values(), *module._forward_hooks.values())
    named = (getattr(h, "__module__", None) or type(h).__module__ for h in held)
    return tuple(sorted(n for n in named if not str(n).startswith("qflow.")))
