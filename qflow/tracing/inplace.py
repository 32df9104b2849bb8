"""inplace: readers of a tensor that was overwritten read the result instead.

`out = relu_(x); out + x` adds `out` to itself. The graph names values, not memory, so an integer
model made from it as it stands would add the `x` from before.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from torch import fx
from torch.nn import functional

from qflow.tracing.attention import attention
from qflow.tracing.values import first_shape

_OPERATORS: Mapping[Any, Callable[..., Any]] = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
}
"""Each to its form that overwrites nothing."""


class Proxy(fx.Proxy):
    """Records `x += y` as what it is; fx alone takes it for `x = x + y`.

    Attention without a mask is written out, as in a trace by example; with one it stays whole.
    """

    @classmethod
    def __torch_function__(
        cls, orig_method: Any, types: Any, args: Any = None, kwargs: Any = None
    ) -> Any:
        given = (*(args or ())[3:4], (kwargs or {}).get("attn_mask"))
        # a mask of the causal kind has the size of the scores, which is no number here
        causal = (*(args or ())[5:6], (kwargs or {}).get("is_causal"))
        if (
            orig_method is functional.scaled_dot_product_attention
            and not any(isinstance(mask, fx.Proxy) for mask in given)
            and not any(causal)
        ):
            return attention(*args, **(kwargs or {}))
        return super().__torch_function__(orig_method, types, args, kwargs)


def _recorded(target: Callable[..., Any]) -> Callable[[fx.Proxy, Any], Any]:
    def overwrite(self: fx.Proxy, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", target, (self, other), {})

    return overwrite


for _target in _OPERATORS:
    setattr(Proxy, f"__{_target.__name__}__", _recorded(_target))


def follow_overwrites(module: fx.GraphModule, values: Mapping[fx.Node, Any]) -> None:
    """Point later readers of an overwritten tensor at what overwrote it, in place.

    Overwriting through a view of the tensor is not followed.
    """
    position = {node: i for i, node in enumerate(module.graph.nodes)}
    for node in module.graph.nodes:
        if not _overwrites(node, module) or not node.args:
            continue
        if not first_shape(values[node]):
            # a number cannot be overwritten, but the code fx writes for `n += 1` would
            node.target = _OPERATORS.get(node.target, node.target)
            continue
        overwritten = node.args[0]
        for reader in list(overwritten.users):
            if position[reader] > position[node]:
                reader.replace_input_with(overwritten, node)
    module.recompile()


def _overwrites(node: fx.Node, module: fx.GraphModule) -> bool:
    if node.op == "call_module":
        return getattr(module.get_submodule(str(node.target)), "inplace", False) is True
    if node.op not in ("call_function", "call_method"):
        return False
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    ends = name.endswith("_") and not name.endswith("__")
    return ends or node.kwargs.get("inplace") is True or node.target in _OPERATORS
