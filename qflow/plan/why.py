"""why: which line of the file decided each field of one address, as text or as data."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.plan import said
from qflow.plan.address import matches, nearest
from qflow.plan.places import Places, shown
from qflow.plan.plan import ModulePlan, Plan, Shared
from qflow.plan.said import Said
from qflow.records import dataclass

FORMAT_VERSION = "1.0"
"""Of the JSON form; its promise is that of a plan's."""

_FIELD = 20
_VALUE = 14


@dataclass(frozen=True)
class Answer:
    """What was decided at one address."""

    address: str
    runs_in: str | None
    """The fusion that decides for it."""
    fields: tuple[tuple[str, Said], ...]
    grid: Shared | None
    """Whose grid its output lies on, when not its own."""
    rules: tuple[Span, ...]
    """Every rule that matched, in order."""
    stages: tuple[tuple[str, Said], ...]
    """`in STAGE`: the state epoch by epoch, and what is frozen there."""


def why(plan: Plan, address: str, texts: str | Mapping[str, str], field: str = "") -> str:
    """Field, value, and the line responsible, for an address or every address a glob covers.

    `texts` is the text of the file, or of all of its files by path. `field` is one field or the
    beginning of some: `act.dtype`, `act`; then every rule that matched is told with its line.
    Raises QflowError: QF204 when the model has no such address, QF309 when none has the field.
    """
    lines = _Lines(plan, texts)
    return "\n".join(
        "\n".join(_text(a, lines, field)) + "\n" for a in answers(plan, address, field)
    )


def plain(plan: Plan, address: str, texts: str | Mapping[str, str], field: str = "") -> list[Any]:
    """The same as data: one object per address. Raises as `why`."""
    lines = _Lines(plan, texts)
    return [
        {
            "address": a.address,
            "runs_in": a.runs_in,
            "fields": [{"field": n, "value": s.value} | lines.record(s) for n, s in a.fields],
            "grid": None if a.grid is None else {"owner": a.grid.owner, "why": a.grid.why},
            "rules": [lines.record(Said("", by)) for by in a.rules],
            "stages": [{"stage": n[3:], "value": s.value} | lines.record(s) for n, s in a.stages],
        }
        for a in answers(plan, address, field)
    ]


def answers(plan: Plan, address: str, field: str = "") -> tuple[Answer, ...]:
    """What was decided at every address a glob covers. Raises as `why`."""
    found = [m for m in plan.modules if matches(address, m.address)]
    if not found:
        known = tuple(m.address for m in plan.modules)
        near = ", ".join(f"`{a}`" for a in nearest(address, known))
        notes = (f"the nearest are {near}",) if near else ()
        raise fail(Diagnostic("QF204", f"the model has no address `{address}`", notes=notes))
    by_address = {m.address: m for m in plan.modules}
    all_of = tuple(_answer(m, plan, by_address) for m in found)
    if not field:
        return all_of
    kept = tuple(k for a in all_of if (k := _only(a, field)) is not None)
    if not kept:
        names = ", ".join(f"`{n}`" for n in dict.fromkeys(n for a in all_of for n, _ in a.fields))
        notes = (f"it has {names}" if names else "it is not quantized",)
        raise fail(Diagnostic("QF309", f"`{address}` has no field `{field}`", notes=notes))
    return kept


def _only(answer: Answer, field: str) -> Answer | None:
    """The answer on some fields; None where there is none."""
    kept = tuple((n, s) for n, s in answer.fields if n == field or n.startswith(f"{field}."))
    return replace(answer, fields=kept, stages=()) if kept else None


def _answer(asked: ModulePlan, plan: Plan, modules: Mapping[str, ModulePlan]) -> Answer:
    module = modules.get(asked.absorbed_by or "", asked)
    shared = module.act.source if module.act else None
    return Answer(
        asked.address,
        asked.absorbed_by,
        tuple(said.module(module)),
        shared if isinstance(shared, Shared) else None,
        module.rules,
        tuple(_stages(asked, plan)),
    )


def _stages(module: ModulePlan, plan: Plan) -> Iterator[tuple[str, Said]]:
    """The state in every stage, epoch by epoch, and what is frozen there."""
    address = module.absorbed_by or module.address
    for stage in plan.stages:
        first = dict(stage.states).get(address)
        if first is not None:
            by = dict(stage.rules).get(address)
            yield f"in {stage.name}", Said(first, by, "no statement selects it")
        for change in (s for s in stage.later if s.address == address):
            yield f"in {stage.name}", Said(f"{change.state} from epoch {change.epoch}", change.by)
        for freeze in (f for f in stage.freezes if f.address in (address, module.address)):
            since = f" from epoch {freeze.epoch}" if freeze.epoch else ""
            yield f"in {stage.name}", Said(f"{freeze.part} frozen{since}", freeze.by)


def _text(answer: Answer, lines: "_Lines", field: str) -> Iterator[str]:
    yield answer.address
    if answer.runs_in:
        yield f"  runs inside {answer.runs_in}, which is decided as follows"
    width = max([_FIELD, *(len(name) for name, _ in answer.fields)])
    for name, value in answer.fields:
        yield f"  {name.ljust(width)} {value.value.ljust(_VALUE)} {lines.who(value)}"
    if not answer.fields:
        yield "  is not quantized"
    if answer.grid:
        yield f"  lies on the grid of {answer.grid.owner}: {answer.grid.why}"
    if answer.rules and field:
        yield "  rules that matched:"
        yield from (f"  {lines.who(Said('', by))}" for by in answer.rules)
    elif answer.rules:
        matched = ", ".join(f"{lines.place(s)} {lines.verb(s)}" for s in answer.rules)
        yield f"  rules that matched: {matched}"
    for name, value in answer.stages:
        yield f"  {name.ljust(_FIELD)} {value.value.ljust(_VALUE)} {lines.who(value)}"


class _Lines:
    """The lines of a plan's files."""

    def __init__(self, plan: Plan, texts: str | Mapping[str, str]) -> None:
        self._places = Places(plan)
        self._files = plan.files
        if isinstance(texts, str):
            texts = {shown(plan.folder, plan.files[0]): texts}
        self._texts = {path: text.split("\n") for path, text in texts.items()}

    def place(self, span: Span) -> str:
        """`12`, or `npu.qf:12` of an imported file."""
        return self._places.short(span)

    def who(self, value: Said) -> str:
        """The line responsible, or what else decided."""
        if value.by is None:
            return f"   - | {value.why}"
        return f"{self.place(value.by).rjust(4)} | {self._source(value.by)}"

    def record(self, value: Said) -> dict[str, Any]:
        """The same as data."""
        by = value.by
        if by is None:
            return {"file": None, "line": None, "source": "", "why": value.why}
        file = self._files[self._places.index(by.path)]
        return {"file": file, "line": by.line, "source": self._source(by), "why": value.why}

    def verb(self, span: Span) -> str:
        """The action word of a rule: use, patch, float or scales, outside quotes."""
        text = "\n".join(self._texts.get(span.path, [])[span.line - 1 : span.end_line])
        found = re.search(r"\b(use|patch|float|scales)\b", re.sub(r'"(?:\\.|[^"\\])*"', "", text))
        return found[1] if found else "rule"

    def _source(self, span: Span) -> str:
        lines = self._texts.get(span.path, [])
        return lines[span.line - 1].strip() if span.line <= len(lines) else ""
