"""said: what a plan says of one subject, field by field, each with the line that is responsible."""

from collections.abc import Iterator

from qflow.diagnostics import Span
from qflow.plan import show
from qflow.plan.plan import (
    Decided,
    Fixed,
    ModulePlan,
    Observed,
    Setting,
    Shared,
    TensorPlan,
)
from qflow.records import dataclass


@dataclass(frozen=True)
class Said:
    """A value as text, and who decided it."""

    value: str
    by: Span | None = None
    """None where no line of a file decided: then `why` says who did, where somebody did."""
    why: str = ""


def of(decided: Decided | Setting) -> Said:
    """What was decided, for people."""
    return Said(show.data(decided.value), decided.by, decided.why)


def module(plan: ModulePlan) -> Iterator[tuple[str, Said]]:
    """Every field of an address, in the order they are read: act, weight, out, operands."""
    for prefix, tensor in (("act", plan.act), ("weight", plan.weight)):
        if tensor is not None:
            yield from _tensor(prefix, tensor)
    if plan.out is not None:
        yield "out.dtype", of(plan.out)
    for i, operand in enumerate(plan.inputs):
        if operand is not None:
            yield from _tensor(f"input{i}", operand)


def _tensor(prefix: str, plan: TensorPlan) -> Iterator[tuple[str, Said]]:
    yield f"{prefix}.dtype", of(plan.dtype)
    if isinstance(plan.source, Shared):
        # all else is decided where the grid is found
        return
    yield f"{prefix}.scheme", of(plan.scheme)
    if isinstance(plan.source, Fixed):
        yield f"{prefix}.scale", of(plan.source.scale)
        if plan.source.origin is not None:
            yield f"{prefix}.scale from", of(plan.source.origin)
        if plan.source.unsigned is not None:
            yield f"{prefix}.unsigned", of(plan.source.unsigned)
        return
    observed: Observed = plan.source
    yield f"{prefix}.observer", of(observed.observer)
    for name, value in observed.settings:
        yield f"{prefix}.{name}", of(value)
    if plan.learned is not None:
        yield f"{prefix}.fake_quant", of(plan.learned)
    if plan.fix_scale is not None:
        yield f"{prefix}.fix_scale", of(plan.fix_scale)
