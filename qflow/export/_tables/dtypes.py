"""dtypes: which activations of a plan lie on a grid, and how many bits it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qflow.plan.plan import Plan


def activations(plan: Plan, is_wanted: Callable[[str], bool]) -> tuple[str, ...]:
    """Addresses whose output lies on a grid of such a dtype, in execution order."""
    return tuple(
        m.address
        for m in plan.modules
        if m.act is not None and m.absorbed_by is None and is_wanted(str(m.act.dtype.value))
    )


def listed(addresses: Sequence[str]) -> str:
    """`a`, `b` and 3 more."""
    shown = ", ".join(f"`{a}`" for a in addresses[:3])
    return f"{shown} and {len(addresses) - 3} more" if len(addresses) > 3 else shown
