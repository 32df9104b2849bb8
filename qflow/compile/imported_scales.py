"""imported_scales: tables are read, and their scales stand where a rule asked for them.

Behind the decision on dtypes: what a threshold is as a scale depends on the bits of the grid.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qflow.compile import scale_findings
from qflow.compile.qfields import FIXED, SCALES
from qflow.compile.region import DEQUANT
from qflow.compile.unit import Fields, ScalesSpec, Unit
from qflow.diagnostics import QflowError, Span
from qflow.dtype import DTYPES
from qflow.plan.plan import Decided
from qflow.tables import name_map, reading
from qflow.tables.entry import Entry, Table
from qflow.tables.name_map import NameMap
from qflow.tables.pairing import Pair, Wanted, pair
from qflow.tables.report import Import, Taken

_PASSES_ON = (DEQUANT, "identity")


def put(unit: Unit) -> Unit:
    """Sets `imports`, and in `running` the scales that were found.

    QF302, QF330 and QF333 for files, QF331 for a tensor the table lacks, QF332 for one it has
    twice, QF334 for a scale that does not go with the grid, QF335 for a rule that covers none,
    QF224 for one of a shared grid.
    """
    if unit.inventory is None or not unit.scales:
        return unit
    owners = {a: g[0] for g in unit.groups for a in g[1:]}
    asked: dict[Span, list[str]] = defaultdict(list)
    for address, fields in unit.running.items():
        own = address in unit.dtypes and address not in owners
        if SCALES in fields and own and unit.inventory.by_address[address].op != DEQUANT:
            asked[scale_findings.asked_by(fields)].append(address)
    running = dict(unit.running)
    imports: list[Import] = []
    found = list(scale_findings.strangers(unit, owners))
    for span, spec in unit.scales.items():
        try:
            table, names = _files(unit, spec)
        except QflowError as error:
            found += error.diagnostics
            continue
        made = _import(unit, spec, table, names, asked.get(span, []))
        imports.append(made)
        if made.taken:
            found += scale_findings.of(spec, made)
        elif span not in {d.at for d in (*unit.diagnostics, *found)}:
            found += scale_findings.idle(unit, spec)
        for taken in made.taken:
            if taken.scale is not None:
                address = taken.pair.address
                running[address] = _given(running[address], taken, spec)
    return replace(unit, running=running, imports=tuple(imports)).having(found)


def _files(unit: Unit, spec: ScalesSpec) -> tuple[Table, NameMap | None]:
    """The table and the map. Raises QflowError, at the words that name them."""
    folder = Path(unit.program.path).parent
    try:
        table = reading.read(folder / spec.source, spec.source, unit.sources, spec.format)
    except QflowError as error:
        raise _placed(error, spec.source_at) from error
    if not spec.map_file:
        return table, spec.names
    try:
        text = reading.text_of(folder / spec.map_file, spec.map_file, unit.sources)
        return table, name_map.parse(text, spec.map_file)
    except QflowError as error:
        raise _placed(error, spec.map_at) from error


def _placed(error: QflowError, at: Span) -> QflowError:
    """At the line of the program; the line of the file stands in the message."""
    return QflowError(tuple(replace(d, at=at) for d in error.diagnostics))


def _import(
    unit: Unit,
    spec: ScalesSpec,
    table: Table,
    names: NameMap | None,
    addresses: Sequence[str],
) -> Import:
    wanted = [Wanted(a, _aliases(unit, a)) for a in addresses]
    pairs = pair(wanted, table, names, _orders(unit), spec.takes_first)
    return Import(spec.at, spec.source, table, tuple(_taken(unit, p) for p in pairs))


def _aliases(unit: Unit, address: str) -> tuple[str, ...]:
    """What else the tensor is called: last member of a fusion, input, output of the model."""
    assert unit.inventory is not None
    inventory = unit.inventory
    last = unit.members_at.get(address, (address,))[-1]
    found = [last] if last != address else []
    if inventory.by_address[address].op == "quant":
        found += [s for s in inventory.sources[address] if inventory.by_address[s].op == "input"]
    waiting = [last]
    while waiting:
        for user in inventory.users[waiting.pop()]:
            op = inventory.by_address[user].op
            if op == "output":
                found.append(user.partition(".")[2])
            elif op in _PASSES_ON:
                waiting.append(user)
    return tuple(dict.fromkeys(found))


def _orders(unit: Unit) -> tuple[tuple[str, ...], ...]:
    """Ways to count the model's tensors: those with a grid, all that run, all there are."""
    assert unit.inventory is not None
    owners = {a for g in unit.groups for a in g[1:]}
    lives = unit.lives_at
    last = {f.members[-1]: f.at for f in unit.fusions}
    of = unit.inventory.by_address
    runs = tuple(a for a in unit.running if a in unit.dtypes and of[a].op != DEQUANT)
    inner = {m for f in unit.fusions for m in f.members[:-1]}
    every = (a for a in unit.region if of[a].op != DEQUANT)
    # an inner member of a fusion has a row, and no tensor of its own
    single = tuple("" if a in inner else last.get(a, lives.get(a, a)) for a in every)
    return (tuple(a for a in runs if a not in owners), runs, single)


def _taken(unit: Unit, found: Pair) -> Taken:
    if found.entry is None:
        return Taken(found)
    dtype = DTYPES[str(unit.dtypes[found.address].value)]
    entry = found.entry
    if entry.unusable:
        return Taken(found, refused=entry.unusable)
    if entry.scale is not None:
        if entry.bits not in (None, dtype.bits):
            why = f"its scale is of {entry.bits} bits, and the grid has {dtype.bits}"
            return Taken(found, refused=why)
        return Taken(found, entry.scale)
    assert entry.threshold is not None, "an entry that can be used says something"
    by_qmax = unit.march is not None and unit.march.threshold_divisor == "qmax"
    return Taken(found, entry.threshold / (dtype.qmax if by_qmax else -dtype.qmin))


def _given(fields: Fields, taken: Taken, spec: ScalesSpec) -> Fields:
    """The qconfig with the scale of the table in place of its observer."""
    entry = taken.pair.entry
    assert entry is not None
    assert taken.scale is not None
    kept = {k: d for k, d in fields.items() if not k.startswith("act.") or k in _KEPT}
    origin = Decided(f"{spec.source}: {entry.name}", spec.at)
    if not entry.signed:
        kept["act.unsigned"] = Decided(True, spec.at)
    return {
        **kept,
        "act.observer": Decided(FIXED, spec.at),
        "act.scale": Decided(taken.scale, spec.at, _where(entry)),
        SCALES: origin,
    }


_KEPT = ("act.dtype", "act.scheme")


def _where(entry: Entry) -> str:
    line = f"line {entry.line}" if entry.line else ""
    threshold = f"threshold {entry.threshold}" if entry.threshold is not None else ""
    return ", ".join(part for part in (line, threshold) if part)
