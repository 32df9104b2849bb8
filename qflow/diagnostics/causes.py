"""causes: one mistake is one finding, however many places or passes it shows in."""

from collections.abc import Iterable
from dataclasses import replace

from qflow.diagnostics import Diagnostic, Label, Span

MERGED = frozenset({"QF110"})
"""Ids whose sentence has the name in it: the same sentence is the same mistake."""

CONSEQUENCES = {"QF222": ("QF501", "QF111"), "QF223": ("QF501",)}
"""Ids that say nothing new where one of these others stands at the same place."""


def once(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Without what follows from other findings; one that is at several places is the first of them.

    The other places become second places of it, and its edits mend them all.
    """
    found = tuple(dict.fromkeys(diagnostics))
    said = {(d.code, d.at) for d in found if d.at is not None}
    kept = [d for d in found if not _follows(d, said)]
    groups: dict[object, list[Diagnostic]] = {}
    for d in kept:
        groups.setdefault(_cause(d), []).append(d)
    return tuple(_one(group) for group in groups.values())


def _follows(d: Diagnostic, said: set[tuple[str, Span]]) -> bool:
    causes = CONSEQUENCES.get(d.code, ())
    return d.at is not None and any((cause, d.at) in said for cause in causes)


def _cause(d: Diagnostic) -> object:
    if d.code not in MERGED or d.at is None or d.also:
        return d
    return d.code, d.severity, d.message, d.at.path


def _one(group: list[Diagnostic]) -> Diagnostic:
    if len(group) == 1:
        return group[0]
    placed = sorted((d.at, n) for n, d in enumerate(group) if d.at is not None)
    also = tuple(Label(at, "and here") for at, _ in placed[1:])
    edits = dict.fromkeys(e for _, n in placed for e in group[n].edits)
    return replace(group[placed[0][1]], also=also, edits=tuple(edits))
