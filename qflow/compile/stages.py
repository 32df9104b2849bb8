"""stages: what the file says of each stage: its data, its epochs, how it trains."""

from collections.abc import Mapping
from dataclasses import replace

from qflow.compile import facts
from qflow.compile.model import is_entry
from qflow.compile.unit import StageSpec, Unit
from qflow.compile.values import EITHER, INTEGER, NUMBER, Reader, outside, unknown, wrong_kind
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.plan.plan import Decided

_NUMBERS: Mapping[str, tuple[float, float]] = {
    "lr": (0.0, float("inf")),
    "momentum": (0.0, 1.0),
    "weight_decay": (0.0, float("inf")),
}
_WORDS = {"loss": "engine.losses", "optimizer": "engine.optimizers"}
_EXAMPLES = {"loss": "cross_entropy", "optimizer": "sgd", "lr": "1e-3"}


def read(unit: Unit) -> Unit:
    """Sets `stages` and `skipped`; a stage with `epochs 0` is skipped."""
    stages: list[StageSpec] = []
    skipped: list[str] = []
    found: list[Diagnostic] = []
    for stage in (s for x in unit.program.schedules[:1] for s in x.stages):
        epochs = _epochs(stage, found)
        fields = [s for s in stage.statements if isinstance(s, syntax.Field)]
        reader = Reader(f"stage `{stage.name}`", stage.span, fields)
        settings = _settings(reader, fields, trains=stage.epochs is not None)
        found += reader.findings()
        if stage.epochs is not None and epochs == 0:
            skipped.append(stage.name)
            continue
        states = tuple(s for s in stage.statements if isinstance(s, syntax.SetState))
        stages.append(StageSpec(stage.name, stage.data, epochs, settings, states, stage.span))
    return replace(unit, stages=tuple(stages), skipped=tuple(skipped)).having(found)


def _epochs(stage: syntax.Stage, found: list[Diagnostic]) -> int:
    """0 without `epochs`; 1 when it is wrong, so that the rest of the stage is still judged."""
    if stage.epochs is None:
        return 0
    value = INTEGER.of(stage.epochs)
    if value is None:
        found.append(wrong_kind("epochs", INTEGER, stage.epochs))
        return 1
    if value < 0:
        found.append(outside("epochs", "0 or more", stage.epochs))
        return 1
    return value


def _settings(
    reader: Reader, fields: list[syntax.Field], trains: bool
) -> tuple[tuple[str, Decided], ...]:
    values: dict[str, str | float | None] = {}
    for name, kind in _WORDS.items():
        text = (
            reader.required(name, EITHER, _EXAMPLES[name])
            if trains
            else reader.optional(name, EITHER)
        )
        values[name] = _known(reader, name, kind, text)
    for name, (low, high) in _NUMBERS.items():
        needed = trains and name in _EXAMPLES
        number = (
            reader.required(name, NUMBER, _EXAMPLES[name])
            if needed
            else reader.optional(name, NUMBER)
        )
        values[name] = _inside(reader, name, number, low, high)
    if fields and not trains:
        reader.add(
            Diagnostic(
                "QF112",
                "this stage does not train, so nothing reads its fields",
                at=fields[0].name_span,
                help="write `epochs 1` behind its data, or delete the fields",
            )
        )
    spans = {f.name: f.span for f in fields}
    return tuple(
        (name, Decided(value, by=spans[name]))
        for name, value in sorted(values.items())
        if value is not None
    )


def _known(reader: Reader, name: str, kind: str, text: str | None) -> str | None:
    """A word of the registry, or an entry point."""
    words = facts.known(kind)
    if text is not None and ":" not in text and words and text not in words:
        reader.add(unknown(name, text, words, reader.span(name)))
    if text is not None and ":" in text and not is_entry(text):
        message = f"`{name}` must be a word or an entry point, not `{text}`"
        reader.add(Diagnostic("QF111", message, at=reader.span(name)))
    return text


def _inside(
    reader: Reader, name: str, number: float | None, low: float, high: float
) -> float | None:
    if number is None:
        return None
    strict = name == "lr"
    if number < low or number >= high or (strict and number == low):
        bound = (
            "above 0" if strict else "0 or more" if high == float("inf") else "from 0 to below 1"
        )
        reader.add(Diagnostic("QF111", f"`{name}` must be {bound}", at=reader.span(name)))
    return number
