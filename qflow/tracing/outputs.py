"""outputs: the result of a forward under the declared names, whatever its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.diagnostics import Diagnostic, fail


def name_outputs(result: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """A tensor, a tuple or a dictionary as {declared name: tensor}, in declared order.

    Dictionaries go by their keys, everything else by position. QF312 when they do not fit.
    """
    if isinstance(result, Mapping):
        if set(result) != set(names):
            raise _mismatch(names, f"a dictionary of {', '.join(map(str, result))}")
        return {n: result[n] for n in names}
    values = list(result) if isinstance(result, (tuple, list)) else [result]
    if len(values) != len(names) or any(isinstance(v, (tuple, list, Mapping)) for v in values):
        raise _mismatch(names, f"{len(values)} value{'s' if len(values) != 1 else ''}")
    return dict(zip(names, values, strict=True))


def _mismatch(names: tuple[str, ...], found: str) -> Exception:
    return fail(
        Diagnostic(
            "QF312",
            f"the model returns {found}, but its outputs are declared as {', '.join(names)}",
            help="declare `output` in the order, or with the keys, that `forward` returns",
        )
    )
