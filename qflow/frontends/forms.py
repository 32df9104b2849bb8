"""forms: functions of torch that are modules as well, and how such a module is made of a call.

A file keeps calls, not modules: `conv2d(x, weight, stride=2)` made by `stem.conv` is the module
`Conv2d` at that address, as in the model the file was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Tensors = Mapping[str, Tensor]
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Form:
    """A function as a module."""

    make: Callable[[str, Tensors, Settings], nn.Module | None]
    """From the name of the class (empty: not known), its tensors and its settings by name; None
    when no module does that. Tensors are registered afterwards."""
    names: tuple[str, ...] = ()
    """Tensors of the module: arguments of the function, by the module's names for them."""


def _conv(plain: tuple[Any, ...]) -> Callable[[str, Tensors, Settings], nn.Module | None]:
    def make(_: str, tensors: Tensors, settings: Settings) -> nn.Module | None:
        weight, rest = tensors["weight"], dict(settings)
        if not 3 <= weight.dim() <= 5:
            return None
        cls, groups = plain[weight.dim() - 3], rest.get("groups", 1)
        outer, inner = weight.shape[0], weight.shape[1] * groups
        if issubclass(cls, nn.modules.conv._ConvTransposeNd):
            outer, inner = weight.shape[1] * groups, weight.shape[0]
        size = tuple(weight.shape[2:])
        for name in ("stride", "padding", "dilation", "output_padding"):
            if isinstance(rest.get(name), list):
                rest[name] = tuple(rest[name])
        made: nn.Module = cls(inner, outer, size, bias="bias" in tensors, device="meta", **rest)
        return made

    return make


def _linear(_: str, tensors: Tensors, settings: Settings) -> nn.Module | None:
    if tensors["weight"].dim() != 2:
        return None
    outer, inner = tensors["weight"].shape
    return nn.Linear(inner, outer, "bias" in tensors, device="meta")


_NORMS = {c.__name__: c for c in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)}


def _batch_norm(cls: str, tensors: Tensors, settings: Settings) -> nn.Module | None:
    found = _NORMS.get(cls)
    if found is None or set(tensors) != {"weight", "bias", "running_mean", "running_var"}:
        return None
    rest = {k: v for k, v in settings.items() if k in ("eps", "momentum")}
    made = found(len(tensors["weight"]), device="meta", **rest)
    made.num_batches_tracked = torch.tensor(0)
    return made


def _layer_norm(_: str, tensors: Tensors, settings: Settings) -> nn.Module:
    affine = "weight" in tensors
    given = {"elementwise_affine": affine, "bias": "bias" in tensors, "device": "meta"}
    shape = list(settings["normalized_shape"])
    return nn.LayerNorm(shape, settings.get("eps", 1e-5), **given)


def _group_norm(_: str, tensors: Tensors, settings: Settings) -> nn.Module | None:
    if set(tensors) != {"weight", "bias"}:
        return None
    channels = len(tensors["weight"])
    return nn.GroupNorm(settings["num_groups"], channels, settings.get("eps", 1e-5), device="meta")


def _embedding(_: str, tensors: Tensors, settings: Settings) -> nn.Module:
    rows, width = tensors["weight"].shape
    return nn.Embedding(rows, width, device="meta")


def _prelu(_: str, tensors: Tensors, settings: Settings) -> nn.Module:
    return nn.PReLU(tensors["weight"].numel(), device="meta")


def _of(cls: Any, **renamed: str) -> Callable[[str, Tensors, Settings], nn.Module | None]:
    """A class without tensors whose arguments are those of the function, but for some names."""

    def make(_: str, tensors: Tensors, settings: Settings) -> nn.Module | None:
        made: nn.Module = cls(**{renamed.get(k, k): v for k, v in settings.items()})
        return made

    return make


def _hardtanh(cls: str, _: Tensors, settings: Settings) -> nn.Module:
    low, high = settings.get("min_val", -1.0), settings.get("max_val", 1.0)
    if (low, high) == (0, 6) and cls in ("", "ReLU6"):
        return nn.ReLU6()
    return nn.Hardtanh(low, high)


_DROPOUTS = (
    *(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d),
    *(nn.AlphaDropout, nn.FeatureAlphaDropout),
)


def _dropout(cls: str, _: Tensors, settings: Settings) -> nn.Module:
    named = {c.__name__: c for c in _DROPOUTS}
    found: nn.Module = named.get(cls, nn.Dropout)(settings.get("p", 0.5))
    return found


def _flatten(_: str, __: Tensors, settings: Settings) -> nn.Module:
    return nn.Flatten(settings.get("start_dim", 0), settings.get("end_dim", -1))


def _upsample(_: str, __: Tensors, settings: Settings) -> nn.Module | None:
    if settings.get("antialias"):
        return None
    given = ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor")
    return nn.Upsample(**{k: v for k, v in settings.items() if k in given})


_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_AFFINE = ("weight", "bias")
_STATISTICS = (*_AFFINE, "running_mean", "running_var")

FORMS: Mapping[Any, Form] = {
    **dict.fromkeys(
        (functional.conv1d, functional.conv2d, functional.conv3d), Form(_conv(_CONVS), _AFFINE)
    ),
    **dict.fromkeys(
        (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d),
        Form(_conv(_TRANSPOSED), _AFFINE),
    ),
    functional.linear: Form(_linear, _AFFINE),
    functional.batch_norm: Form(_batch_norm, _STATISTICS),
    functional.layer_norm: Form(_layer_norm, _AFFINE),
    functional.group_norm: Form(_group_norm, _AFFINE),
    functional.embedding: Form(_embedding, ("weight",)),
    functional.prelu: Form(_prelu, ("weight",)),
    functional.relu: Form(_of(nn.ReLU)),
    functional.relu6: Form(_of(nn.ReLU6)),
    functional.hardtanh: Form(_hardtanh),
    functional.leaky_relu: Form(_of(nn.LeakyReLU)),
    functional.elu: Form(_of(nn.ELU)),
    functional.selu: Form(_of(nn.SELU)),
    functional.gelu: Form(_of(nn.GELU)),
    functional.silu: Form(_of(nn.SiLU)),
    functional.mish: Form(_of(nn.Mish)),
    functional.softplus: Form(_of(nn.Softplus)),
    functional.hardswish: Form(_of(nn.Hardswish)),
    functional.hardsigmoid: Form(_of(nn.Hardsigmoid)),
    torch.sigmoid: Form(_of(nn.Sigmoid)),
    torch.tanh: Form(_of(nn.Tanh)),
    functional.softmax: Form(_of(nn.Softmax)),
    functional.log_softmax: Form(_of(nn.LogSoftmax)),
    functional.max_pool2d: Form(_of(nn.MaxPool2d)),
    functional.avg_pool2d: Form(_of(nn.AvgPool2d)),
    functional.adaptive_avg_pool2d: Form(_of(nn.AdaptiveAvgPool2d)),
    functional.dropout: Form(_dropout),
    functional.pixel_shuffle: Form(_of(nn.PixelShuffle)),
    functional.pixel_unshuffle: Form(_of(nn.PixelUnshuffle)),
    functional.channel_shuffle: Form(_of(nn.ChannelShuffle)),
    functional.interpolate: Form(_upsample),
    torch.flatten: Form(_flatten),
}
"""By function: the module it is, where one module does nothing else."""
