"""aten_special: calls of ATen whose arguments stand otherwise than those of the function of torch.

Everything here is a function of the recipe, the owner and the arguments by their schema's names.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from qflow.frontends.aten import Special, Unknown
from qflow.frontends.imported import Held, Value
from qflow.frontends.recipe import Owner, Recipe

_LAST = 2**63 - 1
_RANK = 16
"""Dimensions that a tensor may have."""
Named = Mapping[str, Any]


def _without(named: Named, **defaults: Any) -> dict[str, Any]:
    """The settings that are not as a function has them anyway."""
    return {k: named[k] for k, d in defaults.items() if named.get(k) is not None and named[k] != d}


def _tensors(named: Named, *names: str) -> dict[str, Any]:
    return {n: named[n] for n in names if named.get(n) is not None}


def _linear(recipe: Recipe, owner: Owner, named: Named) -> Value:
    given = _tensors(named, "weight", "bias")
    return recipe.add(owner, functional.linear, named["input"], **given)


def _rank(recipe: Recipe, weight: Any) -> int:
    if not isinstance(weight, Held):
        raise Unknown("has a weight that is computed")
    return recipe.tensors[weight.address].dim() - 2


def _convolution(recipe: Recipe, owner: Owner, named: Named) -> Value:
    transposed = named.get("transposed", False)
    rank = _rank(recipe, named["weight"])
    found = getattr(functional, f"conv_transpose{rank}d" if transposed else f"conv{rank}d", None)
    if found is None:
        raise Unknown(f"is a convolution over {rank} dimensions")
    one, none = (1,) * rank, (0,) * rank
    settings = {"stride": one, "padding": none, "dilation": one, "groups": 1}
    if transposed:
        settings["output_padding"] = none
    given = _tensors(named, "weight", "bias") | _without(_as_tuples(named), **settings)
    return recipe.add(owner, found, named["input"], **given)


def _as_tuples(named: Named) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in named.items()}


def _transposed(recipe: Recipe, owner: Owner, named: Named) -> Value:
    return _convolution(recipe, owner, {**named, "transposed": True})


def _batch_norm(recipe: Recipe, owner: Owner, named: Named) -> Value:
    if named.get("training") or named.get("train"):
        raise Unknown("is in training mode: export the model after `model.eval()`")
    given = _tensors(named, "running_mean", "running_var", "weight", "bias")
    # its momentum is that of fine-tuning
    given |= _without(named, momentum=0.1, eps=1e-5)
    return recipe.add(owner, functional.batch_norm, named["input"], **given)


def _first(special: Special) -> Special:
    """Calls that return statistics beside the result, which nobody reads."""
    return lambda recipe, owner, named: (special(recipe, owner, named), None, None)


def _layer_norm(recipe: Recipe, owner: Owner, named: Named) -> Value:
    given = _tensors(named, "weight", "bias") | _without(named, eps=1e-5)
    shape = tuple(named["normalized_shape"])
    return recipe.add(owner, functional.layer_norm, named["input"], normalized_shape=shape, **given)


def _group_norm(recipe: Recipe, owner: Owner, named: Named) -> Value:
    given = _tensors(named, "weight", "bias") | _without(named, eps=1e-5)
    groups = named["num_groups"]
    return recipe.add(owner, functional.group_norm, named["input"], num_groups=groups, **given)


def _instance_norm(recipe: Recipe, owner: Owner, named: Named) -> Value:
    given = _tensors(named, "running_mean", "running_var", "weight", "bias")
    given |= _without(named, use_input_stats=True, momentum=0.1, eps=1e-5)
    return recipe.add(owner, functional.instance_norm, named["input"], **given)


def _embedding(recipe: Recipe, owner: Owner, named: Named) -> Value:
    return recipe.add(owner, functional.embedding, named["indices"], weight=named["weight"])


def _prelu(recipe: Recipe, owner: Owner, named: Named) -> Value:
    return recipe.add(owner, functional.prelu, named["self"], weight=named["weight"])


def _addmm(recipe: Recipe, owner: Owner, named: Named) -> Value:
    if named.get("beta", 1) != 1 or named.get("alpha", 1) != 1:
        raise Unknown("scales its operands")
    matrix = named["mat2"]
    if isinstance(matrix, Held) and isinstance(named["self"], Held):
        weight = recipe.tensors[matrix.address].t().contiguous()
        before = matrix.address.removesuffix("_t").removesuffix("_permute")
        known = recipe.tensors.get(before)
        if known is None or known.shape != weight.shape or not known.equal(weight):
            before = f"{matrix.address}_t"
        held = recipe.hold(before, weight, matrix.address in recipe.trainable)
        return recipe.add(owner, functional.linear, named["mat1"], weight=held, bias=named["self"])
    product = recipe.add(owner, torch.matmul, named["mat1"], matrix)
    return recipe.add(owner, torch.add, product, named["self"])


def _dropout(recipe: Recipe, owner: Owner, named: Named) -> Value:
    if named.get("train"):
        raise Unknown("is in training mode: export the model after `model.eval()`")
    first = named.get("input", named.get("self"))
    return recipe.add(owner, functional.dropout, first, p=named["p"], training=False)


def _softmax(recipe: Recipe, owner: Owner, named: Named) -> Value:
    first = named.get("self", named.get("input"))
    return recipe.add(owner, functional.softmax, first, dim=named["dim"])


def _resize(mode: str) -> Special:
    def add(recipe: Recipe, owner: Owner, named: Named) -> Value:
        given: dict[str, Any] = {"mode": mode}
        factors = named.get("scale_factors") or _factors(named)
        if factors:
            given["scale_factor"] = tuple(factors)
        elif named.get("output_size"):
            given["size"] = tuple(named["output_size"])
        else:
            raise Unknown("says no size")
        if mode != "nearest":
            given["align_corners"] = bool(named.get("align_corners"))
        first = named.get("input", named.get("self"))
        return recipe.add(owner, functional.interpolate, first, **given)

    return add


def _factors(named: Named) -> tuple[float, ...]:
    found = [named.get(k) for k in ("scales_h", "scales_w")]
    return tuple(f for f in found if f is not None) if None not in found else ()


def _slice(recipe: Recipe, owner: Owner, named: Named) -> Any:
    start, end, step = named.get("start"), named.get("end"), named.get("step", 1)
    start = None if start == 0 else start
    end = None if isinstance(end, int) and end >= _LAST else end
    if start is None and end is None and step == 1:
        return named["self"]
    part = slice(start, end, None if step == 1 else step)
    return recipe.add(owner, operator.getitem, named["self"], at_dim(named.get("dim", 0), part))


def at_dim(dim: int, part: Any) -> Any:
    """The index that takes `part` of one dimension and all of the others. Raises Unknown."""
    if not -_RANK <= dim < _RANK:
        raise Unknown(f"picks from the dimension {dim}")
    everything = slice(None)
    if dim >= 0:
        return (*(everything,) * dim, part) if dim else part
    return (Ellipsis, part, *(everything,) * (-dim - 1))


def _to(recipe: Recipe, owner: Owner, named: Named) -> Any:
    """Another dtype; another device, or one that it has, is nothing."""
    first, dtype = named["self"], named.get("dtype")
    if dtype is None:
        return first
    if not isinstance(dtype, torch.dtype):
        raise Unknown(f"converts to a dtype with the number {dtype}")
    return recipe.add(owner, "to", first, dtype, method=True)


def _pad(recipe: Recipe, owner: Owner, named: Named) -> Value:
    sizes = tuple(named.get("pad") or named.get("padding") or ())
    given = {"mode": named["mode"]} if named.get("mode", "constant") != "constant" else {}
    if named.get("value"):
        given["value"] = named["value"]
    return recipe.add(owner, functional.pad, named["self"], sizes, **given)


def _padded(mode: str) -> Special:
    return lambda recipe, owner, named: _pad(recipe, owner, {**named, "mode": mode})


def _attention(recipe: Recipe, owner: Owner, named: Named) -> Value:
    settings = _without(named, attn_mask=None, is_causal=False, scale=None, enable_gqa=False)
    if named.get("dropout_p"):
        raise Unknown("is in training mode: export the model after `model.eval()`")
    parts = (named["query"], named["key"], named["value"])
    return recipe.add(owner, functional.scaled_dot_product_attention, *parts, **settings)


def _max_pool(recipe: Recipe, owner: Owner, named: Named) -> Value:
    usual = {"stride": (), "padding": (0, 0), "dilation": (1, 1), "ceil_mode": False}
    given = {k: v for k, v in _as_tuples(named).items() if k in usual and v != usual[k]}
    kernel = tuple(named["kernel_size"])
    return recipe.add(owner, functional.max_pool2d, named["self"], kernel_size=kernel, **given)


def _average(recipe: Recipe, owner: Owner, named: Named) -> Value:
    size = tuple(named["output_size"])
    return recipe.add(owner, functional.adaptive_avg_pool2d, named["self"], output_size=size)


def _view(recipe: Recipe, owner: Owner, named: Named) -> Value:
    return recipe.add(owner, "view", named["self"], named["size"], method=True)


def _size(recipe: Recipe, owner: Owner, named: Named) -> Value:
    return recipe.add(owner, "size", named["self"], named["dim"], method=True)


SPECIAL: Mapping[str, Special] = {
    "linear": _linear,
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "_convolution", "convolution"), _convolution),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _transposed),
    "batch_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _first(_batch_norm),
    "layer_norm": _layer_norm,
    "native_layer_norm": _first(_layer_norm),
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "embedding": _embedding,
    "prelu": _prelu,
    "addmm": _addmm,
    **dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout"), _dropout),
    **dict.fromkeys(("softmax", "_softmax"), _softmax),
    "upsample_nearest2d": _resize("nearest"),
    "upsample_bilinear2d": _resize("bilinear"),
    "slice": _slice,
    **dict.fromkeys(("to", "_to_copy"), _to),
    "pad": _pad,
    "constant_pad_nd": _padded("constant"),
    **dict.fromkeys(("reflection_pad1d", "reflection_pad2d"), _padded("reflect")),
    **dict.fromkeys(("replication_pad1d", "replication_pad2d"), _padded("replicate")),
    "max_pool2d_with_indices": _first(_max_pool),
    "_adaptive_avg_pool2d": _average,
    "_unsafe_view": _view,
    "sym_size": _size,
    "scaled_dot_product_attention": _attention,
}
"""By name without its overload."""
