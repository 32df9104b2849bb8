"""letters: a sum of products by letters, as transposes around one matrix product."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from qflow.export._onnx_integer import forms
from qflow.export._onnx_integer.tape import Tape
from qflow.export._onnx_integer.traced import Traced, Untraceable


def product(tape: Tape, equation: str, left: Any, right: Any) -> Traced:
    """Raises Untraceable for letters that are repeated, summed alone or hidden behind dots."""
    terms, arrow, wanted = equation.replace(" ", "").partition("->")
    one, other = terms.split(",")
    if not arrow or "." in equation or len(set(one)) != len(one) or len(set(other)) != len(other):
        raise Untraceable(f"`{equation}` has no form here")
    sizes = {
        **dict(zip(one, np.shape(left), strict=True)),
        **dict(zip(other, np.shape(right), strict=True)),
    }
    shared = [k for k in one if k in other and k in wanted]
    summed = [k for k in one if k in other and k not in wanted]
    rows = [k for k in one if k not in other]
    columns = [k for k in other if k not in one]
    if not set(rows + columns) <= set(wanted):
        raise Untraceable(f"`{equation}` sums along a letter of one operand")

    def of(letters: list[str]) -> int:
        return prod(sizes[k] for k in letters)

    a = _arranged(left, one, [*shared, *rows, *summed], (of(shared), of(rows), of(summed)))
    b = _arranged(right, other, [*shared, *summed, *columns], (of(shared), of(summed), of(columns)))
    made = [*shared, *rows, *columns]
    found = forms.reshape(a @ b, [sizes[k] for k in made])
    return forms.transpose(found, [made.index(k) for k in wanted])


def _arranged(x: Any, letters: str, order: list[str], shape: tuple[int, ...]) -> Any:
    return x.transpose([letters.index(k) for k in order]).reshape(shape)
