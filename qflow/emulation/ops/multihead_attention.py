"""multihead_attention: projections, attention in several heads and the projection behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.op import Example, Op


class MultiheadAttention(Op):
    """Attributes: heads, width, batch_first. The result is (output, weights or None).

    It is one operator with one grid at its output; projections and scores inside stay floats.
    """

    name = "multihead_attention"
    role = "attention"
    integer = False
    operands = (1, 5)
    modules = ("torch.nn.MultiheadAttention",)
    examples = (
        Example(
            ((2, 5, 8),),
            {"heads": 2, "width": 8, "batch_first": True},
            written=("nn.MultiheadAttention(8, 2, batch_first=True)",),
        ),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        return {
            "heads": int(module.num_heads),
            "width": int(module.embed_dim),
            "batch_first": bool(module.batch_first),
        }
