"""addresses: claims about inner tensors: each address's integers beside what float computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from qflow import registry
from qflow.analysis.similarity import Similarity
from qflow.engine import colour, data
from qflow.engine.compare import MODELS, open_lanes
from qflow.engine.verdict import judge
from qflow.engine.work import Work
from qflow.plan.plan import ClaimPlan

FLOAT = "float"
INTEGER = "integer"
_MOST_NAMED = 6
"""Addresses that are named where a claim does not hold."""


class Addresses:
    """The lanes with their inner tensors, and a similarity per claim and address."""

    def __init__(self, claims: Sequence[ClaimPlan], work: Work) -> None:
        self._claims = claims
        self._work = work
        wanted = dict.fromkeys((FLOAT, *(_lane(c) for c in claims)))
        lanes = open_lanes(work, tuple(wanted))
        self._lanes = lanes.by_name
        nodes = [(n.id, n.address) for n in lanes.graph.nodes if n.output.scale is not None]
        self._ids: list[tuple[tuple[str, str], ...]] = []
        self._found: list[dict[str, Similarity]] = []
        for claim in claims:
            kind = registry.load("analysis.similarity", claim.measure)
            covered = set(claim.addresses)
            self._ids.append(tuple((i, a) for i, a in nodes if a in covered))
            self._found.append({a: kind() for a in claim.addresses})

    def update(self, batch: data.Batch) -> None:
        """One batch through the lanes the claims name."""
        given = colour.camera(batch.inputs, self._work)
        tensors = {
            name: lane(batch.inputs if name in MODELS else given)
            for name, lane in self._lanes.items()
        }
        baseline = tensors[FLOAT]
        for claim, ids, found in zip(self._claims, self._ids, self._found, strict=True):
            ours = tensors[_lane(claim)]
            for node, address in ids:
                if node in baseline and node in ours:
                    found[address].update(baseline[node].values, ours[node].values)

    def results(self, against: Mapping[str, Any]) -> dict[str, Any]:
        """Text of a claim to `{"value", "holds"}`; `against`: what is measured on the right side.

        An address without a tensor in both lanes is named: nobody knows whether it holds there.
        """
        return {
            claim.text: _told(claim, found, against.get(claim.text))
            for claim, found in zip(self._claims, self._found, strict=True)
        }


def _lane(claim: ClaimPlan) -> str:
    return claim.args[1] if len(claim.args) > 1 else INTEGER


def _told(claim: ClaimPlan, found: Mapping[str, Similarity], right: Any) -> Mapping[str, Any]:
    asked = claim if right is None else replace(claim, value=right)
    values = {a: s.result() for a, s in found.items() if len(s.state)}
    wrong = {a: v for a, v in values.items() if not judge(asked, v)["holds"]}
    unknown = [a for a in found if a not in values]
    said = [f"not {a} ({v:.6g})" for a, v in wrong.items()]
    said += [f"not measured {a}" for a in unknown]
    more = [f"and {len(said) - _MOST_NAMED} more"] if len(said) > _MOST_NAMED else []
    count = f"{len(values) - len(wrong)} of {len(found)} addresses"
    told = {"value": ", ".join([count, *said[:_MOST_NAMED], *more]), "holds": not said}
    return told if right is None else {**told, "against": right}
