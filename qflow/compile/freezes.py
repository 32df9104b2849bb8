"""freezes: what a stage keeps as it is: batch-norm statistics, grids, weights, by address."""

from collections.abc import Iterable, Iterator, Mapping

from qflow.compile.epochs import begin
from qflow.compile.region import listed
from qflow.compile.select import has_calls, select
from qflow.compile.unit import StageSpec, Unit
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.plan import op_facts
from qflow.plan.inventory import Module
from qflow.plan.plan import Freezing, ModulePlan
from qflow.records import dataclass

_BATCH_NORM = "batch_norm"
_WITH_WEIGHT = ("constant", "embedding", "prelu")
"""Operators with parameters besides gemms and normalizations."""


@dataclass(frozen=True)
class Frozen:
    """The freezes of one stage, and what is wrong with them."""

    freezes: tuple[Freezing, ...]
    found: tuple[Diagnostic, ...]

    def scales(self, epoch: int) -> frozenset[str]:
        """Addresses whose grids are frozen in an epoch."""
        return frozenset(f.address for f in self.freezes if f.part == "scale" and f.epoch <= epoch)


def resolve(unit: Unit, stage: StageSpec, quantized: Mapping[str, ModulePlan]) -> Frozen:
    """QF201 a freeze that reaches nothing, QF222 half of a fusion, QF271 a folded batch norm.

    Where several statements freeze one thing, the earliest epoch counts: there is no thawing.
    """
    assert unit.inventory is not None
    earliest: dict[tuple[str, str], Freezing] = {}
    found: list[Diagnostic] = []
    for statement in stage.freezes:
        if has_calls(statement.selector):
            continue
        selection = select(statement.selector, unit.inventory)
        found += selection.unmatched
        if not selection.addresses:
            continue
        reached = tuple(_reached(unit, statement, selection.addresses, quantized))
        found += _remarks(unit, statement, selection.addresses, quantized, reached)
        for address in reached if begin(statement) < max(stage.epochs, 1) else ():
            one = Freezing(address, statement.what, begin(statement), statement.span)
            old = earliest.get((one.part, address))
            earliest[one.part, address] = one if old is None or one.epoch < old.epoch else old
    ordered = sorted(earliest.values(), key=lambda f: (f.part, f.epoch, f.address))
    return Frozen(tuple(ordered), tuple(found))


def _reached(
    unit: Unit,
    statement: syntax.Freeze,
    addresses: Iterable[str],
    quantized: Mapping[str, ModulePlan],
) -> Iterator[str]:
    """The running addresses where the part lives that a statement freezes, each once."""
    assert unit.inventory is not None
    gemms = {f.members[0]: f.at for f in unit.fusions}
    homes: dict[str, None] = {}
    for address in addresses:
        module = unit.inventory.by_address[address]
        home = gemms.get(address, address)
        absorbed = address in unit.lives_at and address not in gemms
        if statement.what == "scale":
            homes.update({home: None} if home in quantized else {})
        elif statement.what == "weight":
            homes.update({home: None} if not absorbed and _has_weight(module) else {})
        elif module.op == _BATCH_NORM and not absorbed:
            homes[home] = None
    yield from homes


def _has_weight(module: Module) -> bool:
    """Whether there may be parameters; a dropout has none, but is part of what training moves."""
    role = op_facts.role(module.op)
    own = module.weights > 0 or role in ("gemm", "normalization", "") or module.op in _WITH_WEIGHT
    return own or "Dropout" in module.type


def _remarks(
    unit: Unit,
    statement: syntax.Freeze,
    addresses: tuple[str, ...],
    quantized: Mapping[str, ModulePlan],
    reached: tuple[str, ...],
) -> Iterator[Diagnostic]:
    # while other errors leave addresses undecided nobody can tell what has an effect
    if any(d.severity == "error" for d in unit.diagnostics):
        return
    assert unit.inventory is not None
    norms = [a for a in addresses if unit.inventory.by_address[a].op == _BATCH_NORM]
    folded = [a for a in norms if a in unit.lives_at]
    if statement.what == "bn" and folded:
        yield Diagnostic(
            "QF271",
            "these batch norms are folded into weights, so there is nothing to freeze",
            at=statement.selector.span,
            notes=(f"folded are {listed(folded)}",),
            help="their statistics cannot move; `freeze weight` keeps what they became",
            severity="warning",
        )
        return
    if not reached:
        kind = {"bn": "batch norm", "scale": "fake-quantizer", "weight": "weight"}[statement.what]
        yield Diagnostic(
            "QF201",
            f"this freeze reaches no {kind}",
            at=statement.selector.span,
            notes=(f"it covers {listed(addresses)}",),
            help="select the addresses that have one, or delete the line",
        )
    if statement.what == "scale":
        yield from _halves(unit, statement, frozenset(addresses), quantized)


def _halves(
    unit: Unit,
    statement: syntax.Freeze,
    addresses: frozenset[str],
    quantized: Mapping[str, ModulePlan],
) -> Iterator[Diagnostic]:
    """A fusion at its add of which only the weight's grid, or only the output's, is selected."""
    for fusion in unit.fusions:
        gemm = fusion.members[0]
        if fusion.at in quantized and (gemm in addresses) != (fusion.at in addresses):
            yield Diagnostic(
                "QF222",
                f"`{gemm}` and `{fusion.at}` run as one, but only one of them is frozen",
                at=statement.selector.span,
                help="let the statement select both",
            )
