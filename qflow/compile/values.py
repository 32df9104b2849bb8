"""values: reading the fields of a block by name and type; what is wrong is collected."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from qflow import registry
from qflow.diagnostics import Diagnostic, Label, Span
from qflow.diagnostics.meant import respelled
from qflow.lang import syntax
from qflow.plan.plan import Data, Scalar
from qflow.records import dataclass

T = TypeVar("T")


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A type of value: how a message calls it, and the value, or None for any other kind."""

    name: str
    of: Callable[[syntax.Value], T | None]
    hint: str = ""


def _string(value: syntax.Value) -> str | None:
    return value.value if isinstance(value, syntax.String) else None


def _word(value: syntax.Value) -> str | None:
    return value.value if isinstance(value, syntax.Name) else None


def _integer(value: syntax.Value) -> int | None:
    number = value.value if isinstance(value, syntax.Number) else None
    return number if isinstance(number, int) else None


def _number(value: syntax.Value) -> float | None:
    return float(value.value) if isinstance(value, syntax.Number) else None


def _boolean(value: syntax.Value) -> bool | None:
    if isinstance(value, syntax.Name) and value.value in ("true", "false"):
        return value.value == "true"
    return None


def _dict(value: syntax.Value) -> syntax.Dict | None:
    return value if isinstance(value, syntax.Dict) else None


STRING = Kind("a string", _string, 'write it in quotes: "..."')
WORD = Kind("a word", _word, "write it without quotes")
EITHER = Kind("a word or a string", lambda v: _word(v) or _string(v))
INTEGER = Kind("a whole number", _integer)
NUMBER = Kind("a number", _number)
DICT = Kind("a list of `name: value` in braces", _dict, "write {name: value, ...}")


def describe(value: syntax.Value) -> str:
    """What a value is, for a message."""
    match value:
        case syntax.String():
            return f'the string "{value.value}"'
        case syntax.Number():
            return f"the number {value.text}"
        case syntax.Name():
            return f"the word `{value.value}`"
        case syntax.TensorType():
            return "a tensor type"
        case syntax.List():
            return "a list"
        case syntax.Dict():
            return "a list of `name: value`"


def data(value: syntax.Value) -> Data:
    """A value as plain data: names are words or booleans, braces are sorted by name."""
    match value:
        case syntax.String():
            return value.value
        case syntax.Number():
            return value.value
        case syntax.Name():
            boolean = _boolean(value)
            return value.value if boolean is None else boolean
        case syntax.TensorType():
            return f"{value.dtype}[{', '.join(map(str, value.dims))}]"
        case syntax.List():
            return tuple(data(v) for v in value.items)
        case syntax.Dict():
            return tuple(sorted((name, data(v)) for name, v in value.entries))


def scalar(value: syntax.Value) -> Scalar | None:
    """A single value; None for a list, braces or a tensor type."""
    if not isinstance(value, (syntax.String, syntax.Number, syntax.Name)):
        return None
    found = data(value)
    return found if isinstance(found, (str, int, float, bool)) else None


def unknown(what: str, word: str, names: Iterable[str], at: Span) -> Diagnostic:
    """QF110 with the nearest names, or all of them when few."""
    listed = tuple(sorted(names))
    notes: tuple[str, ...] = ()
    near = registry.nearest(word, listed)
    if near:
        notes = (f"the nearest: {', '.join(f'`{n}`' for n in near)}",)
    elif listed and len(listed) <= 12:
        notes = (f"there are {', '.join(f'`{n}`' for n in listed)}",)
    edits = respelled(at, word, listed)
    message = f"there is no {what} `{word}`"
    return Diagnostic("QF110", message, at=at, notes=notes, about=word, edits=edits)


def wrong_kind(name: str, kind: Kind[T], value: syntax.Value) -> Diagnostic:
    return Diagnostic(
        "QF113",
        f"`{name}` is {kind.name}, not {describe(value)}",
        at=value.span,
        help=kind.hint,
    )


def outside(name: str, text: str, value: syntax.Value, help: str = "") -> Diagnostic:
    """QF111: `text` says what the value must be."""
    return Diagnostic("QF111", f"`{name}` must be {text}", at=value.span, help=help)


def any_of(words: Sequence[str]) -> str:
    """`a` or `b`; one of `a`, `b`, `c`."""
    quoted = [f"`{w}`" for w in words]
    return " or ".join(quoted) if len(quoted) < 3 else f"one of {', '.join(quoted)}"


class Reader:
    """Fields of one block. Read those you know, then ask for `findings`, which name the others."""

    def __init__(self, what: str, at: Span, fields: Sequence[syntax.Field]) -> None:
        self._what = what
        """As a message calls the block: `model digits`."""
        self._at = at
        self._fields: dict[str, syntax.Field] = {}
        self._known: list[str] = []
        self._found: list[Diagnostic] = []
        for field in fields:
            if first := self._fields.get(field.name):
                self._found.append(twice(f"`{field.name}`", field.name_span, first.name_span))
            else:
                self._fields[field.name] = field

    def value(self, name: str) -> syntax.Value | None:
        """The value of a field as written; None when it is absent."""
        self._known.append(name)
        field = self._fields.get(name)
        return field.value if field else None

    def optional(self, name: str, kind: Kind[T]) -> T | None:
        value = self.value(name)
        if value is None:
            return None
        found = kind.of(value)
        if found is None:
            self._found.append(wrong_kind(name, kind, value))
        return found

    def pairs(self, name: str) -> dict[str, Data]:
        """The `name: value` pairs of a field in braces; QF114 for a name that is there twice."""
        given = self.optional(name, DICT)
        found: dict[str, Data] = {}
        first: dict[str, Span] = {}
        entries = zip(given.entries, given.key_spans, strict=True) if given else ()
        for (key, value), span in entries:
            if key in found:
                self.add(twice(f"`{key}` in `{name}`", span, first[key]))
                continue
            found[key], first[key] = data(value), span
        return found

    def required(self, name: str, kind: Kind[T], example: str) -> T | None:
        """None when it is missing (QF115) or of another kind (QF113)."""
        if name not in self._fields:
            self._known.append(name)
            self.add(
                Diagnostic(
                    "QF115",
                    f"{self._what} needs `{name}`",
                    at=self._at,
                    help=f"write `{name} = {example}`",
                    about=name,
                )
            )
            return None
        return self.optional(name, kind)

    def at_least(self, name: str, kind: Kind[T], low: float) -> T | None:
        """As `optional`, for a number; below `low` is QF111."""
        found = self.optional(name, kind)
        if isinstance(found, (int, float)) and found < low:
            self.add(outside(name, f"{low:g} or more", self._fields[name].value))
            return None
        return found

    def one_of(self, name: str, words: Sequence[str], default: str) -> str:
        """A word out of a few; the default when it is absent or wrong."""
        found = self.optional(name, WORD)
        if found is not None and found not in words:
            self.add(outside(name, any_of(words), self._fields[name].value))
            return default
        return default if found is None else found

    def add(self, found: Diagnostic) -> None:
        self._found.append(found)

    def span(self, name: str) -> Span:
        """Where a field's value stands, or the block when it is absent."""
        field = self._fields.get(name)
        return field.value.span if field else self._at

    def spans(self) -> tuple[tuple[str, Span], ...]:
        """Where each field was written, sorted."""
        return tuple(sorted((name, f.value.span) for name, f in self._fields.items()))

    def findings(self) -> tuple[Diagnostic, ...]:
        """All that was wrong, with every field nobody asked for as QF112.

        A field that is missing is not said to be where one stands that looks like it.
        """
        strange = [name for name in self._fields if name not in self._known]
        meant = {near for name in strange for near in registry.nearest(name, self._names)[:1]}
        found = [d for d in self._found if d.code != "QF115" or d.about not in meant]
        extra = [
            Diagnostic(
                "QF112",
                f"{self._what} has no field `{name}`",
                at=self._fields[name].name_span,
                notes=_nearest_note(name, self._names),
                about=name,
                edits=respelled(self._fields[name].name_span, name, self._names),
            )
            for name in strange
        ]
        return (*found, *extra)

    def misspells(self, *names: str) -> bool:
        """Whether a field that nobody asked for so far looks like one of these."""
        strange = [name for name in self._fields if name not in self._known]
        return any(registry.nearest(name, names) for name in strange)

    @property
    def _names(self) -> tuple[str, ...]:
        """Every field somebody asked for, once."""
        return tuple(dict.fromkeys(self._known))


def _nearest_note(name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    near = registry.nearest(name, known) or known
    if not near:
        return ("it has no fields",)
    listed = ", ".join(f"`{n}`" for n in near)
    return (f"its fields: {listed}",) if near == known else (f"the nearest: {listed}",)


def twice(what: str, second: Span, first: Span) -> Diagnostic:
    """QF114 with both places."""
    return Diagnostic(
        "QF114", f"{what} is defined twice", at=second, also=(Label(first, "first here"),)
    )
