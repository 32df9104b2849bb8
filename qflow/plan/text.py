"""text: a plan as people read and compare it; sorted, one address per line."""

from collections.abc import Iterable
from itertools import groupby

from qflow.plan import show
from qflow.plan.places import Places
from qflow.plan.plan import (
    ClaimPlan,
    DataSpec,
    ExportPlan,
    Fusion,
    ModelSpec,
    ModulePlan,
    Plan,
    StagePlan,
)

_ADDRESS = 34
_TYPE = 18


def render(plan: Plan) -> str:
    """The canonical text; it ends with a newline and holds no path from outside the file's folder.

    A rule is `# 12`, a line of the file, or `# npu.qf:12`, one of a file it imports.
    """
    places = Places(plan)
    sections = [
        _head(plan),
        _titled("data", (_data(d) for d in sorted(plan.data, key=lambda d: d.name))),
        _titled(
            "modules", (_module(m, places) for m in sorted(plan.modules, key=lambda m: m.address))
        ),
        _titled("fusions", (_fusion(f) for f in sorted(plan.fusions, key=lambda f: f.at))),
        _stages(plan),
        _titled("checks", (_claim(c) for c in plan.claims)),
        _titled("exports", (_export(e) for e in plan.exports)),
        _titled("hashes", (f"{name.ljust(_TYPE)} {digest}" for name, digest in plan.hashes)),
    ]
    return "\n".join("\n".join(lines) + "\n" for lines in sections if lines)


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    body = [f"  {line}".rstrip() for line in lines]
    return [title, *body] if body else []


def _head(plan: Plan) -> list[str]:
    model, target = plan.model, plan.target
    lines = [f"plan {plan.format_version} of {plan.path}, edition {plan.edition}"]
    lines += [f"param {name} = {show.scalar(value)}" for name, value in sorted(plan.params)]
    args = f" {show.data(model.args)}" if model.args else ""
    lines.append(f"model {model.name}: {model.source}{args} from {_weights(model)}")
    if model.trace != "symbolic":
        lines.append(f"  traced by {model.trace}")
    lines += [f"  example {d.input}: {show.draw(d)}" for d in model.draws]
    lines += [f"  input  {p.name}: {show.port(p)}" for p in model.inputs]
    lines += [f"  output {p.name}: {show.port(p)}" for p in model.outputs]
    lines.append(
        f"target {target.name}: march {target.march}, profile {target.profile},"
        f" unlisted {target.unlisted}"
    )
    lines += [
        f"  colour {c.input}: {c.operator} swing {c.swing} mean {_listed(c.mean)}"
        f" std {_listed(c.std)}"
        for c in target.colour
    ]
    lines += [f"wrap {name}" for name, _ in sorted(plan.graph.wraps)]
    lines += [f"leaf {name}" for name in sorted(plan.graph.leaves)]
    lines += [f"leaf type {name}" for name in sorted(plan.graph.leaf_types)]
    lines += [f"leaf {show.leaf(leaf)}" for leaf in plan.graph.leaf_parts]
    return lines


def _weights(model: ModelSpec) -> str:
    """A model file brings weights along."""
    return model.checkpoint or ("its own weights" if model.file else "no checkpoint")


def _listed(values: Iterable[float]) -> str:
    return " ".join(f"{v:g}" for v in values)


def _data(spec: DataSpec) -> str:
    facts = [f"batch={spec.batch}", f"seed={spec.seed}"]
    if spec.samples is not None:
        facts.insert(0, f"samples={spec.samples}")
    if spec.metric:
        facts.append(f"metric={spec.metric}")
    facts += [f"{name}={show.data(value)}" for name, value in spec.args]
    facts += [f"{name}={show.data(value)}" for name, value in show.source(spec)]
    return f"{spec.name.ljust(_TYPE)} {spec.origin}  {' '.join(facts)}"


def _module(module: ModulePlan, places: Places) -> str:
    name = f"{module.address.ljust(_ADDRESS)} {module.type.ljust(_TYPE)}"
    if module.absorbed_by:
        return f"{name} in {module.absorbed_by}"
    facts = [f"input {i} {show.tensor(t)}" for i, t in enumerate(module.inputs) if t is not None]
    if module.act:
        facts.append(f"act {show.tensor(module.act)}")
    if module.weight:
        facts.append(f"weight {show.tensor(module.weight)}")
    if module.out:
        facts.append(f"out {module.out.value}")
    lines = ",".join(map(places.short, module.rules))
    return f"{name} {', '.join(facts) or '-'}" + (f"  # {lines}" if lines else "")


def _fusion(fusion: Fusion) -> str:
    members = " ".join(fusion.members)
    residual = "" if fusion.residual is None else f", residual is operand {fusion.residual}"
    return f"{fusion.at.ljust(_ADDRESS)} {' + '.join(fusion.pattern)}: {members}{residual}"


def _stages(plan: Plan) -> list[str]:
    lines = ["stages"] if plan.stages or plan.skipped else []
    for stage in plan.stages:
        lines += _stage(stage)
    return lines + [f"  {name.ljust(_TYPE)} skipped: epochs 0" for name in plan.skipped]


def _stage(stage: StagePlan) -> list[str]:
    epochs = f" epochs {stage.epochs}" if stage.epochs else ""
    settings = f" {show.settings(stage.settings)}" if stage.settings else ""
    head = f"  {stage.name.ljust(_TYPE)} on {stage.data}{epochs}{settings}"
    return [head, *_states(stage), *_later(stage), *_freezes(stage)]


def _states(stage: StagePlan) -> list[str]:
    if len({state for _, state in stage.states}) == 1:
        return [f"    {stage.states[0][1]}: all {len(stage.states)}"]
    by_state = sorted(stage.states, key=lambda s: (s[1], s[0]))
    lines = []
    for state, entries in groupby(by_state, key=lambda s: s[1]):
        lines += [f"    {state.ljust(12)} {address}" for address, _ in entries]
    return lines


def _later(stage: StagePlan) -> list[str]:
    """An epoch in which every address changes to one state takes one line."""
    lines = []
    for epoch, entries in groupby(stage.later, key=lambda s: s.epoch):
        found = list(entries)
        if len(found) == len(stage.states) and len({s.state for s in found}) == 1:
            lines.append(f"    from epoch {epoch} {found[0].state}: all {len(found)}")
            continue
        lines += [f"    from epoch {epoch} {s.state.ljust(12)} {s.address}" for s in found]
    return lines


def _freezes(stage: StagePlan) -> list[str]:
    return [
        f"    freeze {f.part.ljust(6)} {f.address}" + (f" from epoch {f.epoch}" if f.epoch else "")
        for f in stage.freezes
    ]


_PROOFS = {True: "  # proved", False: "  # refuted", None: ""}


def _claim(claim: ClaimPlan) -> str:
    return f"{claim.severity.ljust(6)} {claim.text}{_PROOFS[claim.proved]}"


def _export(export: ExportPlan) -> str:
    settings = " ".join(f"{name}={show.data(value)}" for name, value in export.settings)
    return f"{export.target.ljust(_TYPE)} {export.path}  {settings}"
