"""examples: what the inputs hold when the model is looked at: `example` of the model block.

example = {image: {range: [-1, 1]}, ids: {range: [0, 30522]}, noise: {std: 0.1}}
"""

from collections.abc import Iterator, Sequence

from qflow.compile.values import DICT, NUMBER, WORD, Reader, any_of, describe, outside, unknown
from qflow.diagnostics import Diagnostic, Span
from qflow.lang import syntax
from qflow.plan.plan import PortPlan
from qflow.plan.sources import DISTRIBUTIONS, Draw

_EXAMPLE = "{range: [-1, 1]}"


def read(fields: Reader, ports: Sequence[PortPlan]) -> tuple[Draw, ...]:
    """What is drawn for each input that says so, without those in which something is wrong."""
    return tuple(d for d in _draws(fields, {p.name: p for p in ports}) if d is not None)


def inner(what: str, value: syntax.Dict, at: Span) -> Reader:
    """The fields of a value in braces."""
    pairs = zip(value.entries, value.key_spans, strict=True)
    return Reader(what, at, [syntax.Field(k, v, span=v.span, name_span=s) for (k, v), s in pairs])


def _draws(fields: Reader, ports: dict[str, PortPlan]) -> Iterator[Draw | None]:
    given = fields.optional("example", DICT)
    if given is None:
        return
    for (name, value), span in zip(given.entries, given.key_spans, strict=True):
        if name not in ports:
            fields.add(unknown("input", name, ports, span))
        elif not isinstance(value, syntax.Dict):
            message = f"`example` of `{name}` is {describe(value)}, not a distribution in braces"
            help_ = f"write `{name}: {_EXAMPLE}`"
            fields.add(Diagnostic("QF113", message, at=value.span, help=help_))
        else:
            own = inner(f"`example` of `{name}`", value, span)
            found = _draw(own, ports[name])
            problems = own.findings()
            for problem in problems:
                fields.add(problem)
            yield None if problems else found


def _draw(own: Reader, port: PortPlan) -> Draw:
    low, high = _range(own)
    mean, std = own.optional("mean", NUMBER), own.optional("std", NUMBER)
    said = own.optional("distribution", WORD)
    if said is not None and said not in DISTRIBUTIONS:
        own.add(unknown("distribution", said, DISTRIBUTIONS, own.span("distribution")))
    usual = "uniform" if low is not None else "normal"
    chosen = said or usual
    whole = not port.dtype.startswith("float")
    if chosen == "uniform" and low is None:
        own.add(_impossible(own, "a uniform distribution needs its `range`", "range: [0, 1]"))
    if chosen != "normal" and (mean is not None or std is not None):
        own.add(_impossible(own, f"a {chosen} distribution has no `mean` and no `std`", ""))
    if whole and chosen == "normal":
        message = f"`{port.name}` holds whole numbers, which need a `range`"
        own.add(_impossible(own, message, "range: [0, 100]"))
    if std is not None and std < 0:
        own.add(Diagnostic("QF111", "`std` must be 0 or more", at=own.span("std")))
    return Draw(
        port.name, chosen, low, high, 0.0 if mean is None else mean, 1.0 if std is None else std
    )


def _impossible(own: Reader, message: str, example: str) -> Diagnostic:
    help_ = f"write `{example}`" if example else f"use {any_of(DISTRIBUTIONS)} as it is"
    return Diagnostic("QF369", message, at=own.span("distribution"), help=help_)


def _range(own: Reader) -> tuple[float | None, float | None]:
    value = own.value("range")
    if value is None:
        return None, None
    items = value.items if isinstance(value, syntax.List) else ()
    numbers = [float(i.value) for i in items if isinstance(i, syntax.Number)]
    if len(numbers) != 2 or len(items) != 2 or not numbers[0] < numbers[1]:
        own.add(outside("range", "two numbers, the smaller first", value))
        return None, None
    return numbers[0], numbers[1]
