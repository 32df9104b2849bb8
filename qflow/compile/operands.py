"""operands: where a quantized operator reads floats: there they are brought onto a grid.

The grid has the dtype and the observer of the reader's own output, `act` of its qconfig: whoever
quantizes an operator says with that how its tensors are. What keeps the grid of its operands (a
reshape, a max pool) rounds on the grid of its output, which gives the same integers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from qflow.compile import whole
from qflow.compile.qfields import FIXED
from qflow.compile.region import DEQUANT, QUANT, listed
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, Span
from qflow.dtype import DTYPES
from qflow.march import March
from qflow.plan import op_facts
from qflow.plan.inventory import Module
from qflow.plan.plan import Decided

_NOT_FLOATS: Mapping[str, tuple[int, ...]] = {"embedding": (0,), "where": (0,), "masked_fill": (1,)}
"""Operands that are whole numbers or truth values."""


def enter(unit: Unit) -> Unit:
    """Sets `entering`. QF277 where the reader's scale is given: it says nothing of an operand."""
    if unit.inventory is None or unit.march is None:
        return unit
    entering = {a: slots for a in unit.running if (slots := _slots(unit, unit.march, a))}
    return replace(unit, entering=entering).having(_given(unit, entering))


def _slots(unit: Unit, march: March, address: str) -> Mapping[int, Decided]:
    op = unit.op_at(address)
    if op in (QUANT, DEQUANT, "constant") or op_facts.shares_scale(op):
        return {}
    assert unit.inventory is not None
    reads = unit.reads(address)
    # of a module that runs several times every call counts its operands from 0
    first = unit.members_at.get(address, (address,))[0]
    each = max(len(reads) // unit.inventory.by_address[first].calls, 1)
    others = _NOT_FLOATS.get(op, ())
    slots = {i % each for i, s in enumerate(reads) if _is_float(unit, s)}
    return {i: _dtype(unit, march, address, op) for i in sorted(slots) if i not in others}


def _is_float(unit: Unit, source: str) -> bool:
    """Whether an address gives floats, not integers of a grid or whole numbers."""
    assert unit.inventory is not None
    module: Module = unit.inventory.by_address[source]
    if module.op == "input":
        return source not in whole.ports(unit.model)
    if op_facts.gives_indices(module.op):
        return False
    return module.op == DEQUANT or source in unit.floats


def _dtype(unit: Unit, march: March, address: str, op: str) -> Decided:
    """That of the reader's own grid, or what the march lowers its operands to."""
    asked = unit.dtypes.get(address) or unit.running[address]["act.dtype"]
    support = march.support(op)
    if support is None or not support.lowers or not support.input:
        return asked
    widest = max(support.input, key=lambda name: DTYPES[name].bits)
    if DTYPES[str(asked.value)].bits <= DTYPES[widest].bits:
        return asked
    return Decided(widest, why=f"{march.name}: {op} takes {widest}")


def _given(unit: Unit, entering: Mapping[str, Mapping[int, Decided]]) -> Iterator[Diagnostic]:
    by_rule: dict[Span | None, list[str]] = {}
    for address in entering:
        observer = unit.running[address]["act.observer"]
        if observer.value == FIXED:
            by_rule.setdefault(observer.by, []).append(address)
    for span, addresses in by_rule.items():
        yield Diagnostic(
            "QF277",
            "nothing says how floats that these modules read are observed",
            at=span,
            label="the scale of what they give is given here",
            notes=(f"they read floats: {listed(addresses)}",),
            help="quantize what they read as well, or give them an observer",
        )
