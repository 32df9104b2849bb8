"""deciding: which qconfig every address gets: attributes, then setters, the first one wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qflow.diagnostics import Diagnostic, QflowError
from qflow.quantization.facts import Change
from qflow.quantization.qconfig import QConfig
from qflow.quantization.scene import Scene


@dataclass(frozen=True)
class Decision:
    qconfig: QConfig | None
    """None: it stays float."""
    why: str
    """Who decided: the name of a setter, `qconfig of <module>`."""
    frozen: bool = False
    """What the march cannot do is an error then, not a change."""
    explicit: bool = False
    """The address was named; a part of the qconfig that does not apply is worth a note."""


@dataclass(frozen=True)
class Answer:
    """What one or all setters say of a scene."""

    decisions: Mapping[str, Decision] = field(default_factory=dict)
    """By unit. One that is missing stays float."""
    changes: tuple[Change, ...] = ()
    notes: tuple[Diagnostic, ...] = ()
    """Those of severity `error` stop the preparation, all of them at once."""


class Setter:
    """Base of every setter: it says what it would do, and leaves the model alone."""

    name: str
    """How it is called in notes and changelogs."""

    def decide(self, scene: Scene, taken: frozenset[str]) -> Answer:
        """Decisions for units of the scene; those in `taken` are decided already."""
        raise NotImplementedError


def decide(scene: Scene, own: Answer, setters: Sequence[Setter]) -> Answer:
    """Every unit's decision. `own` are the attributes of the model, which beat every setter.

    Raises QflowError with every error of every setter: QF250 for names that match nothing.
    """
    decided = dict(own.decisions)
    changes, notes = list(own.changes), list(own.notes)
    for setter in setters:
        answer = setter.decide(scene, frozenset(decided))
        fresh = {u: d for u, d in answer.decisions.items() if u not in decided}
        if answer.decisions and not fresh:
            notes.append(_shadowed(setter))
        decided.update(fresh)
        changes += answer.changes
        notes += answer.notes
    if errors := tuple(n for n in notes if n.severity == "error"):
        raise QflowError(errors)
    order = {unit: decided[unit] for unit in scene.units if unit in decided}
    return Answer(order, tuple(changes), tuple(notes))


def _shadowed(setter: Setter) -> Diagnostic:
    return Diagnostic(
        "QF256",
        f"`{setter.name}` decides nothing: what it speaks of is decided before it",
        help="of a tuple of setters the first one wins: put the default setter last",
        severity="warning",
    )
