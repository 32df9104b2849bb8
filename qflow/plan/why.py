"""why: which line of the file decided each field of one address."""

import re
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.plan import show
from qflow.plan.address import matches, nearest
from qflow.plan.plan import Decided, Fixed, ModulePlan, Observed, Plan, Shared, TensorPlan

_FIELD = 20
_VALUE = 14


def why(plan: Plan, address: str, program_text: str) -> str:
    """Field, value, and the line responsible, for an address or every address a glob covers.

    Raises QflowError QF204 when the model has none.
    """
    found = [m for m in plan.modules if matches(address, m.address)]
    if not found:
        known = tuple(m.address for m in plan.modules)
        near = ", ".join(f"`{a}`" for a in nearest(address, known))
        notes = (f"the nearest are {near}",) if near else ()
        raise fail(Diagnostic("QF204", f"the model has no address `{address}`", notes=notes))
    lines = program_text.split("\n")
    by_address = {m.address: m for m in plan.modules}
    return "\n".join(
        "\n".join([*_one(m, by_address, lines), *_stages(m, plan, lines)]) + "\n" for m in found
    )


def _one(module: ModulePlan, modules: dict[str, ModulePlan], lines: list[str]) -> Iterator[str]:
    yield module.address
    if module.absorbed_by:
        yield f"  runs inside {module.absorbed_by}, which is decided as follows"
        module = modules[module.absorbed_by]
    decided = list(_fields(module))
    width = max([_FIELD, *(len(name) for name, _ in decided)])
    for name, value in decided:
        shown = show.scalar(value.value).ljust(_VALUE)
        yield f"  {name.ljust(width)} {shown} {_who(value, lines)}"
    if not decided:
        yield "  is not quantized"
    if module.act and isinstance(module.act.source, Shared):
        yield f"  lies on the grid of {module.act.source.owner}: {module.act.source.why}"
    if module.rules:
        matched = ", ".join(f"{s.line} {_verb(s, lines)}" for s in module.rules)
        yield f"  rules that matched: {matched}"


def _stages(module: ModulePlan, plan: Plan, lines: list[str]) -> Iterator[str]:
    """The state in every stage, epoch by epoch, and what is frozen there."""
    address = module.absorbed_by or module.address
    for stage in plan.stages:
        first = dict(stage.states).get(address)
        if first is not None:
            by = dict(stage.rules).get(address)
            yield _line(f"in {stage.name}", first, by, lines, "no statement selects it")
        for change in (s for s in stage.later if s.address == address):
            what = f"{change.state} from epoch {change.epoch}"
            yield _line(f"in {stage.name}", what, change.by, lines)
        for freeze in (f for f in stage.freezes if f.address in (address, module.address)):
            since = f" from epoch {freeze.epoch}" if freeze.epoch else ""
            yield _line(f"in {stage.name}", f"{freeze.part} frozen{since}", freeze.by, lines)


def _line(name: str, what: str, by: Span | None, lines: list[str], why: str = "") -> str:
    return f"  {name.ljust(_FIELD)} {what.ljust(_VALUE)} {_who(Decided(what, by, why), lines)}"


def _fields(module: ModulePlan) -> Iterator[tuple[str, Decided]]:
    for prefix, tensor in (("act", module.act), ("weight", module.weight)):
        if tensor is not None:
            yield from _tensor(prefix, tensor)
    if module.out is not None:
        yield "out.dtype", module.out


def _tensor(prefix: str, tensor: TensorPlan) -> Iterator[tuple[str, Decided]]:
    yield f"{prefix}.dtype", tensor.dtype
    if isinstance(tensor.source, Shared):
        return
    yield f"{prefix}.scheme", tensor.scheme
    if isinstance(tensor.source, Fixed):
        yield f"{prefix}.scale", tensor.source.scale
        return
    observed: Observed = tensor.source
    yield f"{prefix}.observer", observed.observer
    for name, value in observed.settings:
        yield f"{prefix}.{name}", value
    if tensor.learned is not None:
        yield f"{prefix}.fake_quant", tensor.learned
    if tensor.fix_scale is not None:
        yield f"{prefix}.fix_scale", tensor.fix_scale


def _who(decided: Decided, lines: list[str]) -> str:
    if decided.by is None:
        return f"   - | {decided.why}"
    return f"{decided.by.line:4} | {_source(decided.by, lines)}"


def _source(span: Span, lines: list[str]) -> str:
    return lines[span.line - 1].strip() if span.line <= len(lines) else ""


def _verb(span: Span, lines: list[str]) -> str:
    """The action word of a rule: use, patch or float, outside quotes."""
    text = "\n".join(lines[span.line - 1 : span.end_line])
    found = re.search(r"\b(use|patch|float)\b", re.sub(r'"(?:\\.|[^"\\])*"', "", text))
    return found[1] if found else "rule"
