"""hashes: one sha256 per stage over exactly what it reads of the plan, not where a line stands."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from qflow.diagnostics import Span
from qflow.plan.plan import (
    DataSpec,
    Decided,
    Fixed,
    GraphSpec,
    ModelSpec,
    Observed,
    Plan,
    Setting,
    Shared,
    StagePlan,
    TensorPlan,
)

_PROVENANCE = frozenset(
    {"why", "origin", "rules", "fields", "text", "proved", "reads", "weights", "macs"}
)
"""Fields that say where a decision came from, not what it is; and facts of the trace."""
_OPTIONAL = frozenset(
    {
        *("later", "freezes", "against", "per_address", "addresses"),
        *("source", "keys", "preprocess", "unsigned"),
    }
)
"""Left out where empty: a stage that says nothing of epochs hashes as before there were any."""
_KINDS = (Observed, Fixed, Shared)
_BARE = frozenset({str, int, float, bool, type(None)})


def stage_hashes(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Stage to hash, in order: trace, prepare, the schedule, convert, export, verify.

    Each hash holds that of the stage whose result it builds on, so a change reaches every stage
    that depends on it and no other: nothing builds on the result of a stage that only evaluates.
    """
    data = {d.name: d for d in plan.data}
    # what the lanes run over, besides what claims name
    judged = tuple(data.get(s.data) for s in plan.stages if s.evaluates)
    reads: list[tuple[str, object]] = [
        ("trace", (_model(plan.model), _graph(plan.graph))),
        ("prepare", (plan.model.checkpoint, plan.target.march, plan.modules, plan.fusions)),
        *((s.name, _stage(s, data)) for s in plan.stages),
        ("convert", (plan.target.profile, plan.target.unlisted, *_some(plan.target.colour))),
        ("export", plan.exports),
        ("verify", (judged, tuple((c, data.get(c.data or "")) for c in plan.claims))),
    ]
    return tuple(_chain(reads, leaves={s.name for s in plan.stages if s.evaluates}))


def _stage(stage: StagePlan, data: Mapping[str, DataSpec]) -> object:
    judged = () if stage.validates is None else (data.get(stage.validates),)
    return (stage, data.get(stage.data), *judged)


def _some(found: tuple[object, ...]) -> tuple[object, ...]:
    """Nothing at all where there is none: such plans hash as before there were any."""
    return (found,) if found else ()


def traced(model: ModelSpec, graph: GraphSpec) -> str:
    """Digest over what a trace reads of the file: a lock holds it to tell when it is stale."""
    return f"sha256:{_digest('', (_model(model), _graph(graph)))}"


def _chain(reads: Iterable[tuple[str, object]], leaves: set[str]) -> Iterable[tuple[str, str]]:
    before = ""
    for name, value in reads:
        own = _digest(before, value)
        yield name, own
        before = before if name in leaves else own


def _digest(before: str, value: object) -> str:
    text = json.dumps([before, plain(value)], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _model(model: ModelSpec) -> object:
    # names of inputs and outputs are addresses; the block's own name is read by nobody
    facts: tuple[object, ...] = (model.entry, model.args, model.inputs, model.outputs)
    # the usual way adds nothing, so that locks from before there were two stay good
    facts = facts if model.trace == "symbolic" else (*facts, model.trace)
    return (*facts, *_some((model.file,) if model.file else ()), *_some(_drawn(model)))


def _drawn(model: ModelSpec) -> tuple[object, ...]:
    """What example inputs hold, where a trace looks at them."""
    looks = model.draws and (model.trace == "example" or model.file)
    return (model.draws, model.seed) if looks else ()


def _graph(graph: GraphSpec) -> object:
    facts = (tuple(sorted(name for name, _ in graph.wraps)), graph.leaves, graph.leaf_types)
    return (*facts, *_some(graph.leaf_parts))


def plain(value: object) -> Any:
    """JSON data without provenance: a decided field is its value."""
    return _plain(value, {})


def _plain(value: object, grids: dict[int, Any]) -> Any:
    """`grids`: what was made of a grid before; thousands of modules share a few."""
    kind: type = type(value)
    if kind in _BARE:
        return value
    if isinstance(value, (Decided, Setting)):
        return value.value
    if isinstance(value, tuple):
        return [_plain(v, grids) for v in value]
    if isinstance(value, Span):
        return None
    if not is_dataclass(value):
        return value
    if id(value) in grids:
        return grids[id(value)]
    own = ((name, _plain(getattr(value, name), grids)) for name in _names(kind))
    made = {k: v for k, v in own if v or k not in _OPTIONAL}
    if isinstance(value, _KINDS):
        made["kind"] = kind.__name__
    if isinstance(value, TensorPlan):
        grids[id(value)] = made
    return made


@cache
def _names(kind: type) -> tuple[str, ...]:
    """Fields that say what something is."""
    return tuple(f.name for f in fields(kind) if f.name not in _PROVENANCE)
