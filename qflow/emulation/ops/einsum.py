"""einsum: sums of products over named axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.arrays import as_array
from qflow.emulation.op import (
    ROUNDED,
    Call,
    Constant,
    Example,
    Fast,
    Op,
    Range,
    Unsupported,
    form,
)
from qflow.emulation.ops import _products

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Einsum(Op):
    """Attribute: equation, without blanks.

    In integers it is one product of two tensors whose axes are letters, each once per operand:
    every matrix product there is, and what permutes and sums around it.
    """

    name = "einsum"
    role = "gemm"
    operands = (1, 1 << 16)
    writes = _products.WRITES
    fields = form(**_products.FIELDS, equation="word")
    within = ROUNDED
    functions = ("torch.einsum",)
    examples = (
        Example(
            ((2, 3, 4), (2, 5, 4)),
            {"equation": "bic,bjc->bij"},
            written=(
                "torch.einsum('bic,bjc->bij', x, y)",
                "torch.einsum('bic, bjc -> bij', [x, y])",
            ),
        ),
        Example(
            ((2, 3, 2, 4), (2, 3)),
            {"equation": "bhcw,bh->wbc"},
            written=("torch.einsum('bhcw,bh->wbc', x, y)",),
        ),
    )
    float_examples = (
        Example(
            ((2, 3), (2, 4), (2, 5)),
            {"equation": "bi,bj,bk->bijk"},
            written=("torch.einsum('bi,bj,bk->bijk', x, y, z)",),
        ),
        Example(((2, 3, 3),), {"equation": "bii->bi"}, written=("torch.einsum('bii->bi', x)",)),
        Example(
            ((2, 3, 4), (2, 4, 5)),
            {"equation": "...ij,...jk->...ik"},
            written=("torch.einsum('...ij,...jk->...ik', x, y)",),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        equation = args[0] if args else kwargs.get("equation")
        if not isinstance(equation, str):
            raise Unsupported("axes given as lists of numbers: write the equation as text")
        return {"equation": equation.replace(" ", "")}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        return torch.einsum(node.attributes["equation"], *operands)

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        return as_array(np.einsum(attributes["equation"], *operands))

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        equation = attributes["equation"]
        if len(shapes) != 2:
            return f'"{equation}" has {len(shapes)} operands: only a product of two is integer'
        terms = _terms(equation)
        if not all(t.isalpha() and t.isascii() for t in terms if t):
            return f'"{equation}": name every axis with a letter'
        if any(len(set(t)) != len(t) for t in terms):
            return f'"{equation}" names an axis twice in one place'
        return ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        shapes = [build.operand(node, i).shape for i in range(2)]
        attributes = {"equation": node.attributes["equation"]}
        *terms, result = _terms(attributes["equation"])
        for term, source in zip(terms, node.inputs, strict=True):
            if any(term[d] not in result for d in build.free_axes(source)):
                raise Unsupported(f'"{attributes["equation"]}" sums over the batch')
        count = _count(attributes["equation"], shapes)
        _products.lower(node, build, self.shape(attributes, shapes), attributes, count)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        equation = attributes["equation"]
        if why := self.float_only(attributes, shapes):
            raise Unsupported(why)
        terms = _terms(equation)
        if len(terms) != 3 or set(terms[2]) - set(terms[0] + terms[1]) or not terms[2]:
            raise Unsupported(f'"{equation}" is no product of two tensors')
        sizes: dict[str, int] = {}
        for term, shape in zip(terms, shapes, strict=False):
            if len(term) != len(shape) or any(
                sizes.setdefault(a, n) != n for a, n in zip(term, shape, strict=True)
            ):
                raise Unsupported(f'"{equation}" does not fit {tuple(shapes)}')
        return tuple(sizes[a] for a in terms[2])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _products.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        left, right = (call.centred(i, x) for i, x in enumerate(operands))
        return _products.oracle(call, np.einsum(call.node.attributes["equation"], left, right))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        equation = call.node.attributes["equation"]
        count = _count(equation, [s.shape for s in call.sources])

        def multiply(left: Tensor, right: Tensor) -> Tensor:
            return torch.einsum(equation, left, right)

        return _products.fast(call, ranges, device, count, multiply)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        count = _count(call.node.attributes["equation"], [s.shape for s in call.sources])
        return _products.values(call, ranges, count)


def _terms(equation: str) -> list[str]:
    """Axes of the operands and of the result, which has the letters that occur once if it is not
    given, in the order of the alphabet."""
    before, arrow, result = equation.partition("->")
    operands = before.split(",")
    if not arrow:
        result = "".join(sorted(a for a in set(before) - {","} if before.count(a) == 1))
    return [*operands, result]


def _count(equation: str, shapes: Sequence[tuple[int, ...]]) -> int:
    """How many products are added up for one value of the result."""
    *operands, result = _terms(equation)
    sizes = {a: n for t, s in zip(operands, shapes, strict=True) for a, n in zip(t, s, strict=True)}
    return prod(n for a, n in sizes.items() if a not in result)
