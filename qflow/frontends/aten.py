"""aten: one call of ATen, which TorchScript and `torch.export` both speak, as calls of a recipe.

Only what stands in these tables is known; a file that asks for anything else is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from qflow.frontends.imported import Held, tensors_in
from qflow.frontends.recipe import Owner, Recipe


@dataclass(frozen=True)
class Argument:
    """One argument of a call, under the name the operator's schema has for it."""

    name: str
    value: Any
    """A `Value`, a `Held`, plain data, or lists of them."""
    is_default: bool = False
    keyword: bool = False


Arguments = Sequence[Argument]
Special = Callable[[Recipe, Owner, Mapping[str, Any]], Any]


class Unknown(Exception):
    """Nobody knows this call. The message is the reason, as the end of a sentence."""


_FORMS: Mapping[str, Any] = {
    name: getattr(functional, name)
    for name in (
        *("relu", "relu6", "hardtanh", "leaky_relu", "elu", "selu", "gelu", "silu", "mish"),
        *("softplus", "hardswish", "hardsigmoid", "max_pool2d", "avg_pool2d"),
        *("adaptive_avg_pool2d", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle"),
    )
} | {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "flatten": torch.flatten}
"""Functions of `forms` whose settings have the names of the schema."""

_PLAIN = frozenset(
    "abs acos acosh add addcmul amax amin argmax argmin asin asinh atan atanh bmm cat ceil chunk "
    "clamp clamp_max clamp_min cos cosh cumsum div einsum eq erf exp expm1 floor gather ge gt "
    "index_select le log log1p logical_and logical_not logical_or lt masked_fill matmul max "
    "maximum mean min minimum mm mul narrow ne neg ones_like outer permute pow reciprocal reshape "
    "roll round rsqrt rsub select sign sin sinh split split_with_sizes sqrt square squeeze stack "
    "std sub sum swapaxes t tan topk transpose tril triu unbind unsqueeze var where zeros_like "
    "arange movedim floor_divide remainder log_softmax rot90 flip unflatten".split()
)
"""Functions of torch of the same name and order of arguments."""

_METHODS = frozenset("view expand repeat contiguous size expand_as view_as type_as".split())

_SAME = frozenset("alias detach clone lift_fresh_copy lift_fresh _assert_tensor_metadata".split())
"""What does nothing to values that nobody writes to."""

_FOLDED = frozenset("t permute transpose view reshape unsqueeze squeeze detach alias clone".split())
"""What is done at once where all it reads are tensors of the file."""


def call(recipe: Recipe, owner: Owner, name: str, arguments: Arguments) -> Any:
    """Add what `aten::<name>` does. Returns a `Value`, or plain data of some.

    Raises Unknown.
    """
    from qflow.frontends.aten_special import SPECIAL

    base = name[:-1] if name.endswith("_") and not name.endswith("__") else name
    values = {a.name: _tidy(a.value) for a in arguments}
    first = next(iter(values.values()), None)
    if base in _FOLDED and isinstance(first, Held) and not tensors_in(values.values()):
        return _folded(recipe, base, first, arguments)
    if base in _SAME:
        return first
    if base in SPECIAL:
        return SPECIAL[base](recipe, owner, values)
    if base in _FORMS:
        return recipe.add(owner, _FORMS[base], first, **_settings(arguments))
    if base in _PLAIN or base in _METHODS:
        args, kwargs = _plain(arguments)
        if base in _METHODS:
            return recipe.add(owner, base, *args, method=True, **kwargs)
        return recipe.add(owner, getattr(torch, base), *args, **kwargs)
    raise Unknown("is not known to qflow")


def _settings(arguments: Arguments) -> dict[str, Any]:
    """By name, what is not as it is without being said."""
    return {
        a.name: _tidy(a.value)
        for a in arguments[1:]
        if not a.is_default and a.value is not None and a.value != []
    }


def _plain(arguments: Arguments) -> tuple[list[Any], dict[str, Any]]:
    """As a call is usually written: no defaults at the end, keywords where they must be."""
    positional = [a for a in arguments if not a.keyword]
    while positional and positional[-1].is_default:
        positional.pop()
    kwargs = {a.name: _tidy(a.value) for a in arguments if a.keyword and not a.is_default}
    return [_tidy(a.value) for a in positional], {
        k: v for k, v in kwargs.items() if k not in _PLACE and v is not None
    }


_PLACE = frozenset(("layout", "device", "pin_memory", "memory_format"))
"""Where a tensor lies, which is always the CPU."""


def _tidy(value: Any) -> Any:
    """Lists of numbers as tuples, which is how modules keep them."""
    if isinstance(value, list) and value and not tensors_in(value):
        return value if any(isinstance(v, Held) for v in value) else tuple(value)
    return value


def _folded(recipe: Recipe, name: str, held: Held, arguments: Arguments) -> Held:
    args, kwargs = _plain(arguments[1:])
    tensor = recipe.tensors[held.address]
    done: Tensor = getattr(tensor, name)(*args, **kwargs) if name != "alias" else tensor
    return recipe.hold(f"{held.address}_{name}", done, held.address in recipe.trainable)
