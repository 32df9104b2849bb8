"""together: a gemm that stays float takes what would run as one with it along.

A fusion is one operator to whoever reads the rules, and what is rounded between its parts would
lose more than the fusion does. So `float` on the gemm decides for the batch norm and the activation
directly behind it, unless a rule further down decides them. An add is an operator of its own and
keeps its qconfig.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from qflow.compile.region import listed
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, Span
from qflow.plan.plan import Fusion


def with_their_gemm(unit: Unit, fusions: Iterable[Fusion]) -> Unit:
    """`decisions` and `floats` with what float gemms take along, of the fusions there would be.

    QF276 names it.
    """
    floats, decisions = dict(unit.floats), dict(unit.decisions)
    taken: dict[Span | None, list[str]] = {}
    for fusion in fusions:
        gemm, *behind = fusion.members
        decided = unit.floats.get(gemm)
        if decided is None:
            continue
        since = _last_rule(unit, gemm)
        for word, member in zip(fusion.pattern[1:], behind, strict=True):
            if word == "add" or member not in decisions or _last_rule(unit, member) > since:
                break
            floats[member] = replace(decided, why=f"with {gemm}")
            del decisions[member]
            taken.setdefault(decided.by, []).append(member)
    ordered = {a: floats[a] for a in unit.region if a in floats}
    return replace(unit, floats=ordered, decisions=decisions).having(_said(taken))


def _last_rule(unit: Unit, address: str) -> int:
    """Place of the last rule that covers an address; -1 for none."""
    return max(unit.rules_of.get(address, ()), default=-1)


def _said(taken: dict[Span | None, list[str]]) -> Iterator[Diagnostic]:
    for by, members in taken.items():
        yield Diagnostic(
            "QF276",
            "what would run as one with a float module stays float with it",
            at=by,
            notes=(f"these are {listed(members)}",),
            help="a rule below this one that selects them keeps them quantized" if by else "",
            severity="note",
        )
