"""prove: claims that the plan alone decides: `output.logits is int32`; what others are about."""

from collections.abc import Iterator
from dataclasses import replace

from qflow.compile.claims import DTYPE
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, Label, has_errors
from qflow.plan.address import matches, nearest
from qflow.plan.inventory import Inventory
from qflow.plan.plan import ClaimPlan, Decided, ModulePlan

OUTPUT = "output."


def claims(unit: Unit) -> Unit:
    """Marks `is` claims as proved or refuted; resolves patterns in the others.

    QF402 a refuted claim, QF204 an unknown address, QF201 a pattern without a tensor on a grid.
    """
    if unit.inventory is None:
        return unit
    modules = {m.address: m for m in unit.modules}
    found: list[Diagnostic] = []
    judged: list[ClaimPlan] = []
    for claim in unit.claims:
        if claim.per_address:
            measured = replace(claim, addresses=_on_grids(claim.args[0], modules, unit))
            found += [] if measured.addresses or has_errors(unit.diagnostics) else [_none(claim)]
            judged.append(measured)
            continue
        if claim.measure != DTYPE:
            judged.append(claim)
            continue
        addresses = _producers(claim.args[0], unit.inventory)
        if not addresses:
            found.append(_unknown(claim, unit.inventory))
            continue
        decided = {a: d for a in addresses if (d := _out(a, modules)) is not None}
        # undecided: another finding says why
        if len(decided) < len(addresses):
            continue
        against = [a for a, d in decided.items() if d.value != claim.value]
        judged.append(replace(claim, proved=not against))
        if against:
            found.append(_refuted(claim, against[0], decided[against[0]]))
    return replace(unit, claims=tuple(judged)).having(found)


def _on_grids(pattern: str, modules: dict[str, ModulePlan], unit: Unit) -> tuple[str, ...]:
    """Running addresses that a pattern covers, a member of a fusion under that of the fusion."""
    covered = (a for a in unit.region if matches(pattern, a))
    running = dict.fromkeys(unit.lives_at.get(a, a) for a in covered)
    return tuple(a for a in running if (m := modules.get(a)) is not None and _has_grid(m))


def _has_grid(module: ModulePlan) -> bool:
    return module.act is not None or module.output_dtype == "int32"


def _none(claim: ClaimPlan) -> Diagnostic:
    message = f"`{claim.args[0]}` covers nothing whose output lies on a grid"
    help_ = "write the pattern of addresses that become integer: `qflow plan` lists them"
    return Diagnostic("QF201", message, at=claim.at, help=help_)


def _producers(subject: str, inventory: Inventory) -> tuple[str, ...]:
    """The addresses whose outputs a claim speaks of; for an output what its dequantize reads.

    All of them where several tensors pass one stub. None for a subject that is not there.
    """
    if not subject.startswith(OUTPUT):
        module = inventory.by_address.get(subject)
        return (subject,) if module and module.op not in ("input", "output") else ()
    if subject not in inventory.by_address:
        return ()
    return tuple(dict.fromkeys(_read(subject, inventory)))


def _read(address: str, inventory: Inventory) -> Iterator[str]:
    """What an output or a dequantize reads; any other address itself."""
    if inventory.by_address[address].op not in ("output", "dequant"):
        yield address
        return
    for source in inventory.sources[address]:
        yield from _read(source, inventory)


def _out(address: str, modules: dict[str, ModulePlan]) -> Decided | None:
    """Dtype of what leaves an address; a member of a fusion has that of the fusion."""
    module = modules.get(address)
    if module is not None and module.absorbed_by:
        module = modules.get(module.absorbed_by)
    return module.out if module else None


def _unknown(claim: ClaimPlan, inventory: Inventory) -> Diagnostic:
    subject = claim.args[0]
    known = [m.address for m in inventory.modules if m.op != "input"]
    near = nearest(subject, known)
    notes = (f"the nearest are {', '.join(f'`{a}`' for a in near)}",) if near else ()
    message = f"the model has no address `{subject}`"
    return Diagnostic("QF204", message, at=claim.at, notes=notes)


def _refuted(claim: ClaimPlan, address: str, decided: Decided) -> Diagnostic:
    text = f"{address}: {decided.value}"
    return Diagnostic(
        "QF402",
        f"`{claim.text}` does not hold: it is {decided.value}",
        at=claim.at,
        also=(Label(decided.by, text),) if decided.by else (),
        notes=(f"{text}, because of {decided.why}",) if decided.why else (),
        severity="error" if claim.severity == "assert" else "warning",
    )
