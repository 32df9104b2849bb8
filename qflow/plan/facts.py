"""facts: everything a plan says, by section and subject, in the form two plans are compared in.

A subject is an address, a stage, a block; its fields are compared by value alone, so a line that
moved is no difference.
"""

from collections.abc import Container, Iterable, Iterator
from typing import TypeAlias

from qflow.plan import said, show
from qflow.plan.plan import (
    ClaimPlan,
    Data,
    DataSpec,
    ExportPlan,
    ModulePlan,
    Plan,
    Shared,
    StagePlan,
)
from qflow.plan.said import Said

SECTIONS = (
    *("file", "params", "model", "target", "data", "graph"),
    *("modules", "fusions", "stages", "states", "checks", "exports"),
)
Fields: TypeAlias = dict[str, Said]
Facts: TypeAlias = dict[tuple[str, str], Fields]
"""Section and subject to fields, in the order of the plan."""


def of(plan: Plan, without: Container[str] = ()) -> Facts:
    """Every fact of a plan but its hashes, which are counted and not shown.

    Modules of the addresses in `without` are left out.
    """
    found: Facts = {}
    found["file", "edition"] = {"": Said(str(plan.edition))}
    for name, value in plan.params:
        found["params", name] = {"": Said(show.scalar(value))}
    found |= dict(_blocks(plan))
    found |= dict(_modules(m for m in plan.modules if m.address not in without))
    for fusion in plan.fusions:
        shown = f"{' + '.join(fusion.pattern)}: {' '.join(fusion.members)}"
        residual = {} if fusion.residual is None else {"residual": Said(str(fusion.residual))}
        found["fusions", fusion.at] = {"": Said(shown), **residual}
    for stage in plan.stages:
        found["stages", stage.name] = dict(_stage(stage))
    for skipped in plan.skipped:
        found["stages", skipped] = {"epochs": Said("0")}
    order = " ".join(s.name for s in plan.stages)
    found["stages", "order"] = {"": Said(order)}
    found |= _states(plan)
    found |= _numbered("checks", ((_claim_name(c), dict(_claim(c))) for c in plan.claims))
    found |= _numbered("exports", ((e.target, dict(_export(e))) for e in plan.exports))
    return found


def _blocks(plan: Plan) -> Iterator[tuple[tuple[str, str], Fields]]:
    model, target = plan.model, plan.target
    at = dict(model.fields)
    named = "file" if model.file else "entry"
    fields = {named: Said(model.source, at.get(named, model.at))}
    fields |= {f"args.{n}": Said(show.data(v), at.get("args", model.at)) for n, v in model.args}
    fields["checkpoint"] = Said(model.checkpoint or "none", at.get("checkpoint", model.at))
    fields |= {
        f"{part}.{port.name}": Said(show.port(port), at.get(part, model.at))
        for part, ports in (("input", model.inputs), ("output", model.outputs))
        for port in ports
    }
    fields |= {
        f"example.{d.input}": Said(show.draw(d), at.get("example", model.at)) for d in model.draws
    }
    yield ("model", model.name), fields | {"trace": Said(model.trace, at.get("trace", model.at))}
    at = dict(target.fields)
    fields = {
        name: Said(str(getattr(target, name)), at.get(name, target.at))
        for name in ("march", "profile", "unlisted")
    }
    for colour in target.colour:
        numbers = (" ".join(f"{v:g}" for v in values) for values in (colour.mean, colour.std))
        shown = f"{colour.operator} {colour.swing} mean {' std '.join(numbers)}"
        fields[f"colour.{colour.input}"] = Said(shown, at.get("colour", target.at))
    yield ("target", target.name), fields
    for spec in plan.data:
        yield ("data", spec.name), dict(_data(spec))
    for name, span in plan.graph.wraps:
        yield ("graph", f"wrap {name}"), {"": Said("wrapped", span)}
    for kind, leaves in (("leaf", plan.graph.leaves), ("leaf type", plan.graph.leaf_types)):
        for name in leaves:
            yield ("graph", f"{kind} {name}"), {"": Said("kept whole")}
    for leaf in plan.graph.leaf_parts:
        yield ("graph", f"leaf {show.leaf(leaf)}"), {"": Said("kept whole")}


def _data(spec: DataSpec) -> Iterator[tuple[str, Said]]:
    at = dict(spec.fields)
    values: list[tuple[str, Data]] = [
        ("source" if spec.source else "loader", spec.origin),
        ("samples", "all" if spec.samples is None else spec.samples),
        ("batch", spec.batch),
        ("seed", spec.seed),
        *([("metric", spec.metric)] if spec.metric is not None else []),
        *spec.args,
        *show.source(spec),
    ]
    for name, value in values:
        yield name, Said(show.data(value), at.get(name, spec.at))


def _modules(modules: Iterable[ModulePlan]) -> Iterator[tuple[tuple[str, str], Fields]]:
    for module in modules:
        by = module.rules[-1] if module.rules else None
        fields = {"type": Said(module.type), "op": Said(module.op)}
        if module.absorbed_by:
            fields["runs in"] = Said(module.absorbed_by)
        else:
            fields |= dict(said.module(module))
            if module.act is not None and isinstance(module.act.source, Shared):
                fields["act.grid"] = Said(f"of {module.act.source.owner}", None, "shared")
            for name, tensor in (("act", module.act), ("weight", module.weight)):
                if tensor is not None and tensor.axis is not None:
                    fields[f"{name}.axis"] = Said(str(tensor.axis), tensor.scheme.by)
            if module.act is None and module.out is None:
                fields["act.dtype"] = Said("float32", by)
        yield ("modules", module.address), fields


def _stage(stage: StagePlan) -> Iterator[tuple[str, Said]]:
    yield "data", Said(stage.data, stage.at)
    yield "epochs", Said(str(stage.epochs), stage.at)
    for name, setting in stage.settings:
        yield name, said.of(setting)


def _states(plan: Plan) -> Facts:
    """Per address and stage its states over the epochs, and what is frozen."""
    found: Facts = {}

    def fields(address: str) -> Fields:
        return found.setdefault(("states", address), {})

    for stage in plan.stages:
        rules = dict(stage.rules)
        for address, state in stage.states:
            fields(address)[stage.name] = Said(state, rules.get(address), "no statement selects it")
        for later in stage.later:
            name = f"{stage.name} from epoch {later.epoch}"
            fields(later.address)[name] = Said(later.state, later.by)
        for freeze in stage.freezes:
            name = f"{stage.name} {freeze.part}"
            fields(freeze.address)[name] = Said(f"frozen from epoch {freeze.epoch}", freeze.by)
    return found


def _claim_name(claim: ClaimPlan) -> str:
    """What it is about: the text without what it is compared with."""
    head, operator, _ = claim.text.partition(f" {claim.operator} ")
    return head if operator else claim.text


_PROOFS = {True: "proved", False: "refuted", None: "measured"}


def _claim(claim: ClaimPlan) -> Iterator[tuple[str, Said]]:
    yield "severity", Said(claim.severity, claim.at)
    yield "claim", Said(claim.text, claim.at)
    yield "answer", Said(_PROOFS[claim.proved], claim.at)


def _export(export: ExportPlan) -> Iterator[tuple[str, Said]]:
    yield "path", Said(export.path, export.at)
    for name, value in export.settings:
        yield name, Said(show.data(value), export.at)


def _numbered(section: str, found: Iterable[tuple[str, Fields]]) -> Facts:
    """Subjects of one name are counted, so that none hides another."""
    facts: Facts = {}
    for name, fields in found:
        number = 2
        subject = name
        while (section, subject) in facts:
            subject = f"{name} ({number})"
            number += 1
        facts[section, subject] = fields
    return facts
