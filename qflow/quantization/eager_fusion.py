"""eager_fusion: fusion by explicit lists of modules, in place of the user's own model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.plan.fusion import PATTERNS
from qflow.quantization.entrance import Entrance, Passed
from qflow.quantization.fusing_modes import QATMode, get_qat_mode
from qflow.tracing import operators
from qflow.tracing.fused import CLASSES, ENTRANCE, fused
from qflow.tracing.recast import set_module
from qflow.tracing.with_bn import fused_with_bn

M = TypeVar("M", bound=nn.Module)
Fuser = Callable[..., Sequence[nn.Module]]

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
_WORDS: Mapping[type, str] = {
    **{cls: "linear" if cls is nn.Linear else "conv" for cls in CLASSES},
    **dict.fromkeys(_BATCH_NORMS, "bn"),
    nn.ReLU: "relu",
    nn.ReLU6: "relu6",
}
FLOAT_FUNCTIONALS = frozenset(
    {
        "qflow.nn.quantized.FloatFunctional",
        "torch.ao.nn.quantized.modules.functional_modules.FloatFunctional",
    }
)


def fuse_known_modules(
    mod_list: Sequence[nn.Module],
    is_qat: bool = False,
    additional_fuser_method_mapping: Mapping[Any, Any] | None = None,
) -> list[nn.Module]:
    """The same number of modules: the fused one at its place, `nn.Identity` at the others.

    The list is a pattern in its order: convolution or linear, batch norm, FloatFunctional (for its
    `add`), relu or relu6. With an add the fused module takes the add's place, and its `add(x, y)`
    applies the convolution to `x`. Also for the `fuser_func` of torch's own `fuse_modules`, whose
    other arguments change nothing. Raises QflowError QF265 for a list that is no pattern.
    """
    words = tuple(word_of(m) for m in mod_list)
    if words not in PATTERNS:
        raise fail(_refused(mod_list, words))
    roles = dict(zip(words, mod_list, strict=True))
    activation = next((w for w in words if w in ("relu", "relu6")), None)
    bn, mode = roles.get("bn"), get_qat_mode()
    made = (
        fused(mod_list[0], bn, activation)
        if bn is None or mode is QATMode.FuseBN
        else fused_with_bn(mode.value, mod_list[0], bn, activation)
    )
    made.train(mod_list[0].training)
    result: list[nn.Module] = [nn.Identity() for _ in mod_list]
    if "add" not in roles:
        result[0] = made
        return result
    passed = Passed()
    vars(made)[ENTRANCE] = passed
    result[0], result[words.index("add")] = Entrance(passed), made
    return result


def fuse_modules(
    model: M,
    modules_to_fuse: Sequence[str] | Sequence[Sequence[str]],
    inplace: bool = False,
    fuser_func: Fuser = fuse_known_modules,
    fuse_custom_config_dict: Mapping[str, Any] | None = None,
) -> M:
    """The model with each list of addresses fused by `fuser_func`.

    In evaluation it computes what it did, up to float32 rounding. An add joins only as the second
    step of its list, and the forward must give it the convolution's output as first operand (QF266
    where it does not). Raises QflowError: QF204 for an address the model does not have, QF265 for
    modules that are no pattern, QF268 for `fuse_custom_config_dict`.
    """
    if fuse_custom_config_dict:
        text = "`fuse_custom_config_dict` has no meaning here"
        raise fail(Diagnostic("QF268", text, help="pass a `fuser_func`"))
    lists = _lists(modules_to_fuse)
    model = model if inplace else deepcopy(model)
    for names in lists:
        given = [_submodule(model, name) for name in names]
        try:
            made = fuser_func(given)
        except QflowError as error:
            listed = ", ".join(f"`{n}`" for n in names)
            (first, *_) = error.diagnostics
            notes = (f"the list is {listed}", *first.notes)
            raise fail(
                Diagnostic(first.code, first.message, notes=notes, help=first.help)
            ) from None
        for name, module in zip(names, made, strict=True):
            set_module(model, name, module)
    return model


def word_of(module: nn.Module) -> str:
    """The word of a module in a pattern, by its exact class; empty for none."""
    cls = type(module)
    if FLOAT_FUNCTIONALS.intersection(operators.class_names(cls)):
        return "add"
    return _WORDS.get(cls, "")


def _lists(given: Sequence[Any]) -> list[list[str]]:
    if all(isinstance(name, str) for name in given):
        return [list(given)] if given else []
    return [[names] if isinstance(names, str) else list(names) for names in given]


def _submodule(model: nn.Module, name: str) -> nn.Module:
    try:
        return model.get_submodule(name)
    except AttributeError:
        near = registry.nearest(name, tuple(a for a, _ in model.named_modules() if a))
        raise fail(
            Diagnostic(
                "QF204",
                f"the model has no module `{name}`",
                help=f"the nearest: {', '.join(f'`{n}`' for n in near)}" if near else "",
            )
        ) from None


def _refused(modules: Sequence[nn.Module], words: tuple[str, ...]) -> Diagnostic:
    shown = " + ".join(type(m).__name__ for m in modules)
    notes = []
    for module, word in zip(modules, words, strict=True):
        if not word:
            notes.append(_strange(module))
    if words and words[0] not in ("conv", "linear") and words[0]:
        notes.append("the first of the list must be the convolution or linear")
    return Diagnostic(
        "QF265",
        f"{shown} is no list that can be fused",
        notes=tuple(notes),
        help="list a convolution or linear, then its batch norm, FloatFunctional and activation, "
        "as far as there are any, in this order",
    )


def _strange(module: nn.Module) -> str:
    name = type(module).__name__
    bases = (*CLASSES, *_BATCH_NORMS, _BatchNorm)
    base = next((b for b in bases if isinstance(module, b)), None)
    if base is not None:
        return f"`{name}` is a subclass of `{base.__name__}`, not that class itself"
    return f"`{name}` is none of the modules that are fused"
