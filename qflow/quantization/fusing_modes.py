"""fusing_modes: what becomes of a fused batch norm: folded at once, or kept for training."""

from __future__ import annotations

from copy import deepcopy
from enum import Enum
from typing import TypeVar

from torch import nn

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.quantized import Quantized, class_of
from qflow.tracing.recast import set_module
from qflow.tracing.with_bn import WithBN, folded, plain_class

M = TypeVar("M", bound=nn.Module)


class QATMode(str, Enum):
    """The three modes of the field; each is also the word itself."""

    FuseBN = "fuse_bn"
    """Folded when the model is prepared; the prepared model has no batch norm."""
    WithBN = "with_bn"
    """Kept; the weight is folded with the statistics of each batch while it trains."""
    WithBNReverseFold = "with_bn_reverse_fold"
    """Kept; the weight is folded with the running statistics, so folding for good is lossless."""


_current = QATMode.FuseBN


def set_qat_mode(mode: QATMode | str) -> None:
    """Choose the mode of every `prepare` from here on. QF111 for a word that is none of them."""
    global _current
    known = [m.value for m in QATMode]
    if mode not in known:
        raise fail(
            Diagnostic(
                "QF111",
                f"`{mode}` is no QAT mode",
                help=f"use one of {', '.join(known)}",
            )
        )
    _current = QATMode(mode)


def get_qat_mode() -> QATMode:
    """The mode that `prepare` uses now; `fuse_bn` unless it was set."""
    return _current


def fold_batch_norm(model: M, inplace: bool = False) -> M:
    """Fold every batch norm that a mode kept; keys `<at>.bn.*` go, `<at>.bias` is there after it.

    In evaluation nothing changes, to the bit. With `with_bn` training that goes on computes
    something else from here (it used the statistics of each batch); with `with_bn_reverse_fold` the
    weights stay on the grid they were trained on.
    """
    model = model if inplace else deepcopy(model)
    for address, module in list(model.named_modules()):
        if isinstance(module, WithBN) and address:
            set_module(model, address, _without_bn(module))
    return model


def _without_bn(module: nn.Module) -> nn.Module:
    if not isinstance(module, Quantized):
        return folded(module, plain_class(type(module)))
    return folded(module, class_of(plain_class(type(module).__bases__[-1])))
