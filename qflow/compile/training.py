"""training: the fields that say how a stage trains, or which method it runs."""

from collections.abc import Mapping, Sequence

from qflow.compile import facts, options
from qflow.compile.values import (
    EITHER,
    INTEGER,
    NUMBER,
    WORD,
    Reader,
    outside,
    unknown,
    wrong_kind,
)
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.plan.plan import Setting

LOSSES, OPTIMIZERS, SCHEDULERS = "engine.losses", "engine.optimizers", "engine.schedulers"
METHODS, METRICS = "engine.methods", "analysis.metrics"
_NUMBERS: Mapping[str, tuple[float, float]] = {
    "lr": (0.0, float("inf")),
    "momentum": (0.0, 1.0),
    "weight_decay": (0.0, float("inf")),
    "clip_grad_norm": (0.0, float("inf")),
}
_ABOVE = ("lr", "clip_grad_norm")
"""Numbers that cannot be their bound."""
_SHORT = ("lr", "momentum", "weight_decay")
"""Fields of an optimizer that need no prefix."""

Settings = tuple[tuple[str, Setting], ...]


def train(reader: Reader, fields: Sequence[syntax.Field], data: Sequence[str]) -> Settings:
    """Settings of a stage with epochs; `data` are the names of the data blocks."""
    written = [f.name for f in fields]
    found: dict[str, options.Value | None] = {**_losses(reader, written)}
    optimizer = reader.required("optimizer", EITHER, "sgd")
    found["optimizer"] = options.word(reader, "optimizer", OPTIMIZERS, optimizer)
    for name, (low, high) in _NUMBERS.items():
        number = (
            reader.required(name, NUMBER, "1e-3") if name == "lr" else reader.optional(name, NUMBER)
        )
        found[name] = _inside(reader, name, number, low, high)
    short = {n: found[n] for n in _SHORT if n == "lr" or n in written}
    found |= options.read(reader, OPTIMIZERS, optimizer, "optimizer.", written, short)
    _refuse_foreign(reader, optimizer, short)
    scheduler = options.named(reader, "scheduler", SCHEDULERS)
    found["scheduler"] = scheduler
    if scheduler is not None:
        found |= options.read(reader, SCHEDULERS, scheduler, "scheduler.", written)
    found |= _judged(reader, data)
    return _settings(fields, found)


def method(reader: Reader, fields: Sequence[syntax.Field]) -> Settings:
    """Settings of a stage with a method: its own fields stand beside it."""
    chosen = options.named(reader, "method", METHODS)
    written = [f.name for f in fields if f.name != "method"]
    found = options.read(reader, METHODS, chosen, "", written)
    return _settings(fields, {"method": chosen, **found})


def _settings(
    fields: Sequence[syntax.Field], found: Mapping[str, options.Value | None]
) -> Settings:
    spans = {f.name: f.span for f in fields}
    losses = spans.get("loss")
    return tuple(
        (name, Setting(value, spans.get(name.removesuffix(".entry"), losses)))
        for name, value in sorted(found.items())
        if value is not None
    )


def _losses(reader: Reader, written: Sequence[str]) -> dict[str, options.Value | None]:
    """`loss`, or `loss.NAME` with a weight for each of several, and the fields of each."""
    value = reader.value("loss")
    if value is None:
        reader.required("loss", EITHER, "cross_entropy")
        return {}
    if not isinstance(value, syntax.Dict):
        word = options.named(reader, "loss", LOSSES)
        own = options.read(reader, LOSSES, word, f"loss.{word}.", written) if word else {}
        return {"loss": word, **own}
    found: dict[str, options.Value | None] = {}
    weights = reader.pairs("loss")
    if not weights:
        reader.add(outside("loss", "at least one loss", value, "write {cross_entropy: 1.0}"))
    for name, written_weight in value.entries:
        weight = NUMBER.of(written_weight)
        if weight is None:
            reader.add(wrong_kind(f"loss.{name}", NUMBER, written_weight))
        elif not 0 < weight < float("inf"):
            reader.add(outside(f"loss.{name}", "above 0", written_weight))
        entry = reader.optional(f"loss.{name}", EITHER)
        kind = entry or name
        if entry is not None:
            found[f"loss.{name}.entry"] = options.word(reader, f"loss.{name}", LOSSES, entry)
        else:
            _known(reader, name, value)
        found[f"loss.{name}"] = weight
        found |= options.read(reader, LOSSES, kind, f"loss.{name}.", written)
    return found


def _known(reader: Reader, name: str, value: syntax.Dict) -> None:
    words = facts.known(LOSSES)
    if name in words:
        return
    place = dict(zip((n for n, _ in value.entries), value.key_spans, strict=False))
    reader.add(unknown("loss", name, words, place.get(name, value.span)))


def _refuse_foreign(
    reader: Reader, optimizer: str | None, short: Mapping[str, options.Value | None]
) -> None:
    """`momentum` for an optimizer that has none."""
    own = options.fields_of(OPTIMIZERS, optimizer)
    for name in short:
        if own and name not in own:
            reader.add(
                Diagnostic(
                    "QF112",
                    f"optimizer `{optimizer}` has no `{name}`",
                    at=reader.span(name),
                    help=f"it takes {', '.join(f'`{t}`' for t in sorted(own))}",
                )
            )


def _judged(reader: Reader, data: Sequence[str]) -> dict[str, options.Value | None]:
    """How epochs are judged, and what is made of it."""
    validate = reader.optional("validate", WORD)
    if validate is not None and validate not in data:
        reader.add(unknown("data block", validate, data, reader.span("validate")))
    metric = reader.optional("metric", EITHER)
    if metric != "loss":
        metric = options.word(reader, "metric", METRICS, metric)
        if metric is not None and validate is None:
            reader.add(_needs_judging("metric", reader))
    patience = reader.at_least("patience", INTEGER, 1)
    keep = reader.one_of("keep", ("best", "last"), "")
    for name, wants in (("patience", patience is not None), ("keep", keep == "best")):
        if wants and validate is None and metric != "loss":
            reader.add(_needs_judging(name, reader))
    return {"validate": validate, "metric": metric, "patience": patience, "keep": keep or None}


def _needs_judging(name: str, reader: Reader) -> Diagnostic:
    return Diagnostic(
        "QF115",
        f"`{name}` needs something that epochs are judged by",
        at=reader.span(name),
        help="write `validate = DATA`, or `metric = loss` for the training loss",
    )


def _inside(
    reader: Reader, name: str, number: float | None, low: float, high: float
) -> float | None:
    if number is None:
        return None
    strict = name in _ABOVE
    if number < low or number >= high or (strict and number == low):
        bound = (
            "above 0" if strict else "0 or more" if high == float("inf") else "from 0 to below 1"
        )
        reader.add(Diagnostic("QF111", f"`{name}` must be {bound}", at=reader.span(name)))
    return number
