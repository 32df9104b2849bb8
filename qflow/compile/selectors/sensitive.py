"""sensitive: the modules an output suffers most from, by a sensitivity table.

`sensitive(TABLE, top = 4)` covers the four most sensitive modules, `sensitive(TABLE, ratio = 0.2)`
a fifth of those in the table, rounded up. `output = NAME` ranks by one output, `type = activation`
by rows of one type; otherwise a module counts with its largest score.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

from qflow.compile import closure
from qflow.compile.region import DEQUANT, listed
from qflow.compile.selectors import Selected
from qflow.compile.selectors._arguments import split, takes
from qflow.compile.unit import SensitivitySpec, Unit
from qflow.compile.values import INTEGER, NUMBER, WORD, Reader, unknown
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.plan.sensitivity import TYPES, Row, Table

_FORM = "sensitive(TABLE, top = 4)"


class Sensitive:
    """With every chosen module come the members of its fusion and of its scale group.

    Together they are one tensor: a part of them could not have a dtype of its own.
    """

    budget = True

    def select(self, call: syntax.Call, unit: Unit) -> Selected:
        positional, reader = split(call)
        if len(positional) != 1 or not isinstance(positional[0], syntax.Name):
            return Selected(None, (takes(call, _FORM),))
        budget = _Budget.read(call, reader)
        name = positional[0].value
        spec = next((s for s in unit.sensitivities if s.name == name), None)
        found = list(reader.findings())
        if spec is None:
            known = [b.name for b in unit.program.sensitivities]
            if name not in known:
                found.append(unknown("sensitivity block", name, known, positional[0].span))
            return Selected(None, tuple(found))
        if found or budget is None or name not in unit.tables:
            return Selected(None, tuple(found))
        table = unit.tables[name]
        if table is None:
            return Selected(None, (_unmeasured(call, spec, unit),))
        output = budget.output or spec.output
        outputs = {r.output for r in table.rows} - {""}
        if output is not None and outputs and output not in outputs:
            at = reader.span("output") if budget.output else spec.at
            return Selected(None, (unknown("output in the table", output, outputs, at),))
        return _chosen(call, budget, _ranked(table, output, budget.type), unit)


class _Budget:
    """How many, and by which rows."""

    def __init__(
        self, top: int | None, ratio: float | None, output: str | None, type: str | None
    ) -> None:
        self.top, self.ratio, self.output, self.type = top, ratio, output, type

    @classmethod
    def read(cls, call: syntax.Call, reader: Reader) -> "_Budget | None":
        top = reader.at_least("top", INTEGER, 0)
        ratio = reader.optional("ratio", NUMBER)
        output = reader.optional("output", WORD)
        type_ = reader.one_of("type", (*TYPES, "both"), "both")
        given = [reader.value(n) is not None for n in ("top", "ratio")]
        if not any(given) and reader.misspells("top", "ratio"):
            return None
        if given[0] == given[1]:
            what = "both `top` and `ratio`" if given[0] else "neither `top` nor `ratio`"
            reader.add(
                Diagnostic(
                    "QF281",
                    f"`sensitive` has {what}: it takes exactly one of them",
                    at=call.span,
                    help=f"write `{_FORM}`, or `ratio = 0.2` for a fifth of the modules",
                )
            )
            return None
        if ratio is not None and not 0 < ratio <= 1:
            message = "`ratio` must be above 0 and at most 1"
            reader.add(Diagnostic("QF281", message, at=reader.span("ratio")))
            return None
        return cls(top, ratio, output, None if type_ == "both" else type_)

    def count(self, of: int) -> int:
        if self.ratio is None:
            return min(self.top or 0, of)
        # as written: 0.07 of 100 is 7, which binary fractions put slightly above
        share = Decimal(repr(self.ratio)) * of
        return int(share.to_integral_value(rounding=ROUND_CEILING))


def _ranked(table: Table, output: str | None, type_: str | None) -> list[str]:
    """Addresses by falling score; a module counts with its largest one."""
    best: dict[str, float] = {}
    for row in table.rows:
        if _counts(row, output, type_):
            best[row.op_name] = max(best.get(row.op_name, row.score), row.score)
    return sorted(best, key=lambda a: (-best[a], a))


def _counts(row: Row, output: str | None, type_: str | None) -> bool:
    of_output = output is None or row.output in ("", output)
    return of_output and (type_ is None or row.sensitive_type == type_)


def _chosen(call: syntax.Call, budget: _Budget, ranked: Sequence[str], unit: Unit) -> Selected:
    assert unit.inventory is not None
    there = [a for a in ranked if a in unit.inventory.by_address]
    if not ranked and budget.top != 0:
        what = f"rows of type `{budget.type}`" if budget.type else "rows"
        message = f"the table has no {what}, so this rule matches no module"
        return Selected(None, (Diagnostic("QF201", message, at=call.span),))
    if ranked and not there:
        return Selected(
            None,
            (
                Diagnostic(
                    "QF201",
                    "the model has none of the modules in this table",
                    at=call.span,
                    notes=(f"the table has {listed(ranked)}",),
                    help=f"measure it again with `qflow sensitivity {unit.program.path}`",
                ),
            ),
        )
    chosen = there[: budget.count(len(there))]
    return Selected(closure.of(unit, chosen))


def _unmeasured(call: syntax.Call, spec: SensitivitySpec, unit: Unit) -> Diagnostic:
    assert unit.inventory is not None
    modules = unit.inventory.by_address
    region = [a for a in unit.region if modules[a].op != DEQUANT]
    return Diagnostic(
        "QF280",
        f"`{spec.name}` is not measured yet, so nobody knows what this rule covers",
        at=call.span,
        notes=(f"there is no `{spec.table}`", f"undecided until then are {listed(region)}"),
        help=f"`qflow run` measures it first; so does `qflow sensitivity {unit.program.path}`",
        severity="warning",
    )
