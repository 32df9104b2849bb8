"""scaled_dot_product_attention: softmax of query by key, times value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import holds_whole_numbers, scale
from qflow.emulation.op import Example, Op, Unsupported, op
from qflow.emulation.ops._window import argument
from qflow.quantization.prepared import Grid, PreparedNode

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder

INNER = "int16"
"""Dtype of scores and shares: nothing observes them, so their grids hold whatever can come."""
HIDDEN = 20.5
"""How far below every score a hidden one lies: its exponent is 0 there."""
_HEADS = (2, 3, 5, 4)


class ScaledDotProductAttention(Op):
    """Attributes: causal, scale (None: 1 / sqrt(width)). Operands: query, key, value, mask.

    Tracing by example writes it out as products and a softmax, each with an observer; this is what
    a symbolic trace keeps whole. In integers it becomes `<id>.products`, `<id>.scores`,
    `<id>.masked`, `<id>.shares` and a product. Scores are int16 on the grid of their bound,
    D max|q| max|k| scale, shares int16 on 1 / 32767. A mask of truth values says what takes part,
    another is added. Of int16 operands the error is that of the scores' grid: a share is off by its
    half step, relative.
    """

    name = "scaled_dot_product_attention"
    role = "attention"
    operands = (3, 4)
    within: ClassVar[Mapping[str, float]] = {"int8": 0.6, "int16": 16.0}
    functions = ("torch.nn.functional.scaled_dot_product_attention",)
    examples = (
        Example(
            (_HEADS, _HEADS, _HEADS, (2, 1, 5, 5)),
            {"causal": False, "scale": 0.25},
            written=(
                "F.scaled_dot_product_attention(x, y, z, m, scale=0.25)",
                "F.scaled_dot_product_attention(x, y, z, attn_mask=m, scale=0.25)",
            ),
        ),
        Example(
            (_HEADS, _HEADS, _HEADS),
            {"causal": True, "scale": None},
            written=("F.scaled_dot_product_attention(x, y, z, is_causal=True)",),
        ),
        Example(
            (_HEADS, (2, 3, 6, 4), (2, 3, 6, 7), (2, 1, 5, 6)),
            {"causal": False, "scale": None},
            written=("F.scaled_dot_product_attention(x, y, z, m)",),
            kinds=("float", "float", "float", "mask"),
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

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        query, key, value, *mask = operands
        scores = query @ key.swapaxes(-1, -2) * _factor(attributes, query.shape)
        if attributes["causal"]:
            mask = [np.tri(*scores.shape[-2:], dtype=bool)]
        if mask:
            kept = mask[0].dtype.kind != "f"
            scores = np.where(mask[0], scores, -np.inf) if kept else scores + mask[0]
        return op("softmax").real({"dim": -1}, scores) @ value

    def lower(self, node: PreparedNode, build: Builder) -> None:
        shapes = [build.operand(node, i).shape for i in range(3)]
        self.shape({}, shapes)
        factor = _factor(node.attributes, shapes[0])
        if factor <= 0:
            raise Unsupported(f"scale = {factor}: only a number above 0")
        bound = shapes[0][-1] * _largest(build, node, 0) * _largest(build, node, 1) * factor
        masks = node.attributes["causal"] or len(node.inputs) > 3
        on_grid = masks and len(node.inputs) > 3 and not _is_flags(build, node.inputs[3])
        grid = _grid(bound + HIDDEN if masks and not on_grid else bound)

        source = build.operand(node, 1)
        rows, columns = len(source.shape) - 2, len(source.shape) - 1
        dims = (*range(rows), columns, rows)
        own = Grid(DTYPES[source.dtype], scale(source), source.zero_point)
        turned = _on(node, build, "key", "permute", node.inputs[1:2], own, {"dims": dims})
        both = (node.inputs[0], turned)
        size = op("matmul").shape({}, [build.types[i].shape for i in both])
        plain = replace(grid, scale=(grid.scale / np.float32(factor)).astype(np.float32))
        last = _on(node, build, "products", "matmul", both, plain, {})
        # the integers stay what they are: only their scale is another
        last = _on(node, build, "scores", "mul", (last,), grid, {"scalar": factor})
        if on_grid:
            wide = _grid(bound + _largest(build, node, 3))
            last = _on(node, build, "masked", "add", (last, node.inputs[3]), wide, {})
        elif masks:
            flags = node.inputs[3] if len(node.inputs) > 3 else _causal(node, build, size)
            hidden = {"yes": None, "no": -float("inf")}
            last = _on(node, build, "masked", "where", (flags, last), grid, hidden)
        shares = _on(node, build, "shares", "softmax", (last,), _grid(1.0), {"dim": -1})
        product = replace(node, op="matmul", inputs=(shares, node.inputs[2]), attributes={})
        op("matmul", build.profile.own).lower(product, build)

    def macs(
        self,
        shapes: Sequence[tuple[int, ...]],
        output: tuple[int, ...],
        weight: tuple[int, ...] = (),
    ) -> int:
        query, key, value = shapes[:3]
        return prod(query[1:]) * key[-2] + prod(query[1:-1]) * key[-2] * value[-1]

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        query, key, value = shapes[:3]
        turned = (*key[:-2], key[-1], key[-2])
        product = op("matmul").shape
        return product({}, [product({}, [query, turned]), value])


def _factor(attributes: Mapping[str, Any], query: tuple[int, ...]) -> float:
    given = attributes["scale"]
    return float(query[-1] ** -0.5 if given is None else given)


def _grid(largest: float) -> Grid:
    step = np.array([largest / DTYPES[INNER].qmax], np.float32)
    return Grid(DTYPES[INNER], step)


def _largest(build: Builder, node: PreparedNode, index: int) -> float:
    """Largest real magnitude an operand can have."""
    type_ = build.operand(node, index)
    low, high = build.ranges[node.inputs[index]]
    reach = max(abs(low - type_.zero_point), abs(high - type_.zero_point))
    return reach * float(scale(type_)[0])


def _is_flags(build: Builder, name: str) -> bool:
    return holds_whole_numbers(build.types[name])


def _on(
    node: PreparedNode,
    build: Builder,
    name: str,
    operator: str,
    inputs: tuple[str, ...],
    grid: Grid,
    attributes: Mapping[str, Any],
) -> str:
    """Lower an operator in the place of this one; its id is `<id>.<name>`."""
    made = PreparedNode(
        f"{node.id}.{name}",
        node.address,
        operator,
        inputs,
        attributes,
        grid=grid,
        out_dtype=grid.dtype.name,
    )
    op(operator, build.profile.own).lower(made, build)
    return made.id


def _causal(node: PreparedNode, build: Builder, size: tuple[int, ...]) -> str:
    """A mask in which each query sees the keys up to its own place."""
    flags = np.tri(*size[-2:], dtype=np.int32)
    made = PreparedNode(f"{node.id}.causal", node.address, "constant", (), weight=flags)
    op("constant", build.profile.own).lower(made, build)
    return made.id
