"""legal: what the march cannot do is an error here, not at export."""

from collections.abc import Iterator

from qflow.compile.kept_whole import GENERATED
from qflow.compile.lower import entry
from qflow.compile.region import DEQUANT, QUANT, listed
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, Span
from qflow.dtype import DTYPES
from qflow.march import March, OpSupport
from qflow.plan import op_facts
from qflow.plan.inventory import Module
from qflow.plan.plan import Decided


def on_target(unit: Unit) -> Unit:
    """What has no integers: QF502 operators the march does not list and forms without an integer
    form, or QF520 where the target lets them stay float; QF120 operators that have none yet, QF501
    dtypes the march does not take there. QF277 what a rule leaves float and has no float form.
    """
    if unit.inventory is None or unit.march is None:
        return unit
    found = (*_unlisted(unit, unit.march), *_without_integers(unit, unit.march))
    return unit.having([*found, *_dtypes(unit, unit.march), *_no_floats(unit)])


def _no_floats(unit: Unit) -> Iterator[Diagnostic]:
    """What is to stay float and can be computed in no way: the integer model has to run it too."""
    assert unit.inventory is not None
    places: dict[tuple[Span | None, str], list[str]] = {}
    for address, decided in unit.floats.items():
        module = unit.inventory.by_address[address]
        if not _computable(module):
            places.setdefault((decided.by, module.type), []).append(address)
    for (by, name), addresses in places.items():
        yield Diagnostic(
            "QF277",
            f"`{name}` cannot stay float: qflow has no float form of it",
            at=by or (unit.target.at if unit.target else None),
            notes=(f"at {listed(addresses)}",),
            help=_MEND,
        )


def _computable(module: Module) -> bool:
    """A module of an unknown kind is looked into when the integer model is made."""
    if module.op == "unknown":
        return not module.address.rpartition(".")[2].startswith(GENERATED)
    return module.op == QUANT or op_facts.runs_on_floats(module.op)


def _unlisted(unit: Unit, march: March) -> Iterator[Diagnostic]:
    assert unit.inventory is not None
    lives = unit.lives_at
    missing: dict[tuple[str, str], list[str]] = {}
    for address in unit.region:
        module = unit.inventory.by_address[address]
        if address in unit.floats:
            continue
        if address not in lives and march.support(module.op) is None:
            # of an operator it does not know the trace says why, where it is one it knows otherwise
            unknown = module.op == "unknown"
            what = (module.type, module.detail) if unknown else (module.op, "")
            missing.setdefault(what, []).append(address)
    for (name, why), addresses in missing.items():
        yield _not_listed(unit, march, name, why, addresses)


def _without_integers(unit: Unit, march: March) -> Iterator[Diagnostic]:
    """Listed operators that run only as fake-quantized floats, and such forms of others."""
    assert unit.inventory is not None
    assert unit.target is not None
    forms: dict[tuple[str, str], list[str]] = {}
    whole: dict[str, list[str]] = {}
    for address in unit.region:
        module = unit.inventory.by_address[address]
        if march.support(module.op) is None or address in unit.floats:
            continue
        if module.float_only:
            forms.setdefault((module.op, module.float_only), []).append(address)
        elif not op_facts.integer(module.op):
            whole.setdefault(module.op, []).append(address)
    for (name, why), addresses in forms.items():
        yield _not_listed(unit, march, name, why, addresses)
    for name, addresses in whole.items():
        yield Diagnostic(
            "QF120",
            f"`{name}` runs only as fake-quantized floats: its integers are not supported yet",
            at=unit.target.at,
            notes=(f"at {listed(addresses)}",),
            help="move it out of the quantized part; from Python it can be prepared and trained",
        )


def _not_listed(unit: Unit, march: March, name: str, why: str, addresses: list[str]) -> Diagnostic:
    assert unit.target is not None
    places = f"at {listed(addresses)}"
    known = dict(march.floats).get(name)
    said = (why,) if why else (f"{march.name}: {known}",) if known else ()
    if unit.target.unlisted == "float" and op_facts.runs_on_floats(name):
        return Diagnostic(
            "QF520",
            f"`{name}` stays float on {march.name}, between a dequantize and a quantize",
            at=unit.target.at,
            notes=(places, *said),
            help="replace it by an operator of the march, or move it out of the quantized part",
            severity="warning",
        )
    if why:
        return Diagnostic(
            "QF502",
            f"this `{name}` has no integer form",
            at=unit.target.at,
            notes=(places, why),
            help="write it in the form the operator has, or move it out of the quantized part",
        )
    fused_only = op_facts.pattern_word(name) == "bn"
    alone = (f"a `{name}` runs only fused behind a conv2d or linear that nothing else reads",)
    return Diagnostic(
        "QF502",
        f"{march.name} has no operator `{name}`",
        at=unit.target.at,
        notes=(places, *said, *(alone if fused_only else ())),
        help=_MEND + (_OR_FLOAT if op_facts.runs_on_floats(name) else ""),
    )


_MEND = "move it out of the quantized part, or replace it by an operator of the march"
_OR_FLOAT = "; `unlisted = float` in the target lets it run on floats"
_Place = tuple[str, str]
"""An operator and its role there, as a sentence has it."""
_Asked = tuple[str, bool, Span | None]
"""A dtype, whether it is that of a weight, and the rule that asks for it."""


def _dtypes(unit: Unit, march: March) -> Iterator[Diagnostic]:
    """One finding per dtype that a rule asks for, with every place that does not take it."""
    found: dict[_Asked, dict[_Place, list[str]]] = {}

    def wrong(op: str, role: str, dtype: Decided, address: str) -> None:
        places = found.setdefault((str(dtype.value), role == "weight", dtype.by), {})
        places.setdefault((op, role), []).append(address)

    for address, fields in unit.running.items():
        op = unit.op_at(address)
        support = march.support(op)
        if support is None or op == DEQUANT:
            continue
        for role, dtype in _refused(unit, address, op, support):
            wrong(op, role, dtype, address)
        weight = fields["weight.dtype"]
        if op_facts.weight_axis(op) is not None and weight.value not in support.weight:
            wrong(op, "weight", weight, address)
    for (name, _, by), places in found.items():
        ops: dict[str, list[str]] = {}
        for op, role in places:
            ops.setdefault(role, []).append(f"`{op}`")
        said = " or ".join(f"the {role} of {' or '.join(of)}" for role, of in ops.items())
        listings = (entry(march, op) for op in dict.fromkeys(op for op, _ in places))
        concerned = dict.fromkeys(a for addresses in places.values() for a in addresses)
        yield Diagnostic(
            "QF501",
            f"{name} cannot be {said} on {march.name}",
            at=by or (unit.target.at if unit.target else None),
            notes=(f"this concerns {listed([*concerned])}", *(n for e in listings for n in e)),
        )


def _refused(
    unit: Unit, address: str, op: str, support: OpSupport
) -> Iterator[tuple[str, Decided]]:
    """Dtypes at one operator that its entry does not have."""
    out = unit.kept.get(address) or unit.dtypes.get(address)
    operands = [
        d
        for s in dict.fromkeys(unit.reads(address))
        if op != QUANT and (d := unit.kept.get(s) or unit.dtypes.get(s)) and _given_out(unit, s, d)
    ]
    operands += unit.entering.get(address, {}).values()
    refused = [d for d in operands if d.value not in support.input]
    yield from (("input", d) for d in refused)
    if out is None:
        return
    if out.value not in support.output:
        yield "output", out
    elif support.same and not refused and _narrower(out, operands):
        yield "output, next to a wider operand,", out


def _given_out(unit: Unit, source: str, dtype: Decided) -> bool:
    """Whether the source can have that output at all; if not, that is said there only."""
    support = unit.march.support(unit.op_at(source)) if unit.march else None
    return support is not None and dtype.value in support.output


def _narrower(out: Decided, operands: list[Decided]) -> bool:
    return any(DTYPES[str(out.value)].bits < DTYPES[str(d.value)].bits for d in operands)
