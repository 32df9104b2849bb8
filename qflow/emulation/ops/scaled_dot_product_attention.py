"""scaled_dot_product_attention: softmax of query by key, times value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode

_HEADS = (2, 3, 5, 4)


class ScaledDotProductAttention(Op):
    """Attributes: causal, scale (None: 1 / sqrt(width)). Operands: query, key, value, mask.

    Tracing writes it out as products and a softmax where it can; this is what stays whole.
    """

    name = "scaled_dot_product_attention"
    role = "attention"
    integer = False
    operands = (3, 4)
    functions = ("torch.nn.functional.scaled_dot_product_attention",)
    examples = (
        Example(
            (_HEADS, _HEADS, _HEADS, (5, 5)),
            {"causal": False, "scale": 0.25},
            written=(
                "F.scaled_dot_product_attention(x, y, z, m, scale=0.25)",
                "F.scaled_dot_product_attention(x, y, z, attn_mask=m, scale=0.25)",
            ),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        if argument(args, kwargs, 4, "dropout_p", 0.0):
            raise Unsupported("dropout_p above 0 drops at inference: pass 0 outside of training")
        if kwargs.get("enable_gqa"):
            raise Unsupported("enable_gqa = True: repeat key and value for their groups instead")
        return {
            "causal": bool(argument(args, kwargs, 5, "is_causal", False)),
            "scale": argument(args, kwargs, 6, "scale", None),
        }

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import scaled_dot_product_attention

        a = node.attributes
        return scaled_dot_product_attention(*operands, is_causal=a["causal"], scale=a["scale"])
