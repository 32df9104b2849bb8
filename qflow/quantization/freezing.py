"""freezing: a part of a model that training leaves alone, whatever is called around it.

The field's three parts, each of which alone leaves something moving: `requires_grad = False` does
not stop batch norm and dropout, `eval()` does not stop the optimizer, and the next `model.train()`
undoes it. Here they hold until `unfreeze`, also on a copy of the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.states import FakeQuantState, set_fake_quantize

_TRAIN = "train"


@dataclass
class _Kept:
    """Stands in a module's own `train`: called, the module stays in evaluation mode.

    It is an object and not a closure so that `deepcopy` and pickle give a copied module its own.
    """

    module: nn.Module
    parameters: list[str] = field(default_factory=list)
    """Parameters that were trained before."""
    scale: bool = False
    """It is a fake-quantizer that kept its scale for this freeze."""
    evaluates: bool = False

    def of(self, module: nn.Module) -> _Kept:
        """The same for another module, which takes this one's place."""
        return replace(self, module=module, parameters=list(self.parameters))

    def __call__(self, mode: bool = True) -> nn.Module:
        if not self.evaluates:
            return type(self.module).train(self.module, mode)
        return type(self.module).train(self.module, False)


def freeze(
    module: nn.Module, *, bn: bool = True, weight: bool = True, scale: bool = True
) -> nn.Module:
    """Freeze a module and everything in it; returns it. Frozen twice is frozen once.

    All three: no parameter gets a gradient, everything is in evaluation mode, and every
    fake-quantizer rounds with the scale it has (state VALIDATION). `bn` alone puts batch norms into
    evaluation mode, `weight` alone stops the parameters, `scale` alone the scales. An optimizer
    made before skips what is frozen, for its gradient is None.

    Raises QflowError QF241, before anything is changed, when a fake-quantizer whose scale is to be
    kept has none yet.
    """
    if scale:
        _require_scales(module)
    whole = bn and weight and scale
    for child in module.modules():
        is_scale = isinstance(child, FakeQuantize)
        stops = scale if is_scale else weight
        evaluates = whole or (bn and isinstance(child, _BatchNorm))
        if stops or evaluates:
            kept = _kept(child)
            kept.evaluates |= evaluates
            kept.parameters += _stop(child) if stops else []
        if scale and isinstance(child, FakeQuantize) and not child.frozen:
            _kept(child).scale = True
            child.freeze()
    if whole:
        module.train()
        set_fake_quantize(module, FakeQuantState.VALIDATION)
    elif bn:
        for child in module.modules():
            if isinstance(child, _BatchNorm):
                child.eval()
    return module


def unfreeze(module: nn.Module) -> nn.Module:
    """Undo every `freeze` of a module and what is in it; returns it.

    Modes and states stay as they are: call `train()` and `set_fake_quantize` next.
    """
    for child in module.modules():
        kept = vars(child).get(_TRAIN)
        if not isinstance(kept, _Kept):
            continue
        for name in kept.parameters:
            child.get_parameter(name).requires_grad_(True)
        if kept.scale and isinstance(child, FakeQuantize):
            child.frozen = False
        del vars(child)[_TRAIN]
    return module


@contextmanager
def frozen(
    module: nn.Module, *, bn: bool = True, weight: bool = True, scale: bool = True
) -> Iterator[nn.Module]:
    """Frozen inside the block; behind it, modes, states and gradients are as before."""
    gradients = [(p, p.requires_grad) for p in module.parameters()]
    modes = [(m, m.training, _copy(m)) for m in module.modules()]
    quantizers = [m for m in module.modules() if isinstance(m, FakeQuantize)]
    states = [(q, q.observing, q.quantizing, q.frozen) for q in quantizers]
    freeze(module, bn=bn, weight=weight, scale=scale)
    try:
        yield module
    finally:
        for parameter, required in gradients:
            parameter.requires_grad_(required)
        for child, mode, kept in modes:
            vars(child).pop(_TRAIN, None)
            vars(child).update({} if kept is None else {_TRAIN: kept})
            child.training = mode
        for quantizer, observing, quantizing, was_frozen in states:
            quantizer.observing, quantizer.quantizing = observing, quantizing
            quantizer.frozen = was_frozen


def _require_scales(module: nn.Module) -> None:
    found = [(a, m) for a, m in module.named_modules() if isinstance(m, FakeQuantize)]
    if unobserved := [m.address or a for a, m in found if not m.observed]:
        more = f" and {len(unobserved) - 1} more" if len(unobserved) > 1 else ""
        raise fail(
            Diagnostic(
                "QF241",
                f"`{unobserved[0]}`{more} cannot be frozen: no data ever reached the observer",
                help="calibrate first, or load a calibrated checkpoint",
            )
        )


def _kept(module: nn.Module) -> _Kept:
    """What stands in the module's `train`, put there where it is not yet."""
    found = vars(module).get(_TRAIN)
    if not isinstance(found, _Kept):
        found = _Kept(module)
        vars(module)[_TRAIN] = found
    return found


def _copy(module: nn.Module) -> _Kept | None:
    found = vars(module).get(_TRAIN)
    return found.of(module) if isinstance(found, _Kept) else None


def _stop(module: nn.Module) -> list[str]:
    """Stop a module's own parameters; the names of those that were trained."""
    trained = [n for n, p in module.named_parameters(recurse=False) if p.requires_grad]
    for name in trained:
        parameter = module.get_parameter(name)
        parameter.requires_grad_(False)
        # an optimizer applies decay and momentum to every gradient it finds, zero or not
        parameter.grad = None
    return trained
