"""options: fields a stage hands to an extension, `scheduler.every = 2`, judged by its dataclass."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING

from qflow import registry
from qflow.compile import facts
from qflow.compile.model import is_entry
from qflow.compile.values import EITHER, Reader, data, describe, unknown
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.plan.plan import Scalar

Value = Scalar | tuple[Scalar, ...]
_WHOLE: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
}
_NAMES = {
    "int": "whole number",
    "float": "number",
    "bool": "`true` or `false`",
    "str": "word or string",
}
_LIST = re.compile(r"tuple\[(\w+), \.\.\.\]")


def word(reader: Reader, name: str, kind: str, text: str | None) -> str | None:
    """A word of the registry, or an entry point; QF110 or QF111 for anything else."""
    words = facts.known(kind)
    if text is not None and ":" not in text and words and text not in words:
        reader.add(unknown(name.rpartition(".")[2], text, words, reader.span(name)))
    if text is not None and ":" in text and not is_entry(text):
        message = f"`{name}` must be a word or an entry point, not `{text}`"
        reader.add(Diagnostic("QF111", message, at=reader.span(name)))
    return text


def named(reader: Reader, name: str, kind: str) -> str | None:
    """As `word`, read from the field of that name."""
    return word(reader, name, kind, reader.optional(name, EITHER))


def read(
    reader: Reader,
    kind: str,
    chosen: str | None,
    prefix: str,
    written: Sequence[str],
    given: Mapping[str, Value | None] | None = None,
) -> dict[str, Value]:
    """Fields of the extension `chosen`, each written as `prefix` and its name; by full name.

    `given` are fields read elsewhere, None where they were wrong. Of an entry point nothing is
    known: all it is given is kept. QF112 a field it does not have, QF113 another kind, QF115 one
    that is missing, QF111 a value it refuses.
    """
    mine = [w for w in written if w.startswith(prefix) and "." not in w[len(prefix) :]]
    own = _own(kind, chosen)
    if own is None:
        foreign = {w: _plain(reader, w) for w in mine if prefix or chosen is not None}
        return {w: v for w, v in foreign.items() if v is not None}
    found: dict[str, Value] = {}
    for name, type_ in own.items():
        if name in (given or {}):
            continue
        value = _typed(reader, f"{prefix}{name}", type_)
        if value is not None:
            found[f"{prefix}{name}"] = value
    others = {name: value for name, value in (given or {}).items() if name in own}
    _judge(reader, kind, chosen or "", prefix, found, others)
    return found


def fields_of(kind: str, chosen: str | None) -> tuple[str, ...]:
    """Names of the fields an extension has; none for an entry point or an unknown word."""
    return tuple(_own(kind, chosen) or ())


def _own(kind: str, chosen: str | None) -> dict[str, str] | None:
    """Field to type; None where nothing is known of it."""
    if chosen is None or chosen not in facts.known(kind):
        return None
    return {name: type_ for name, type_, _ in facts.settings(kind, chosen)}


def _plain(reader: Reader, name: str) -> Value | None:
    written = reader.value(name)
    if written is None:
        return None
    if isinstance(written, (syntax.Dict, syntax.TensorType)):
        message = f"`{name}` is a single value or a list, not {describe(written)}"
        reader.add(Diagnostic("QF113", message, at=written.span))
        return None
    found = data(written)
    if not isinstance(found, tuple):
        return found
    if all(isinstance(v, (str, int, float, bool)) for v in found):
        return tuple(v for v in found if isinstance(v, (str, int, float, bool)))
    reader.add(Diagnostic("QF113", f"`{name}` is a list of lists", at=written.span))
    return None


def _typed(reader: Reader, name: str, type_: str) -> Value | None:
    written = reader.value(name)
    if written is None:
        return None
    value = _plain(reader, name)
    if value is None:
        return None
    listed = _LIST.fullmatch(type_)
    each = listed[1] if listed else type_
    if each not in _NAMES:
        return value
    items = value if isinstance(value, tuple) else (value,)
    if isinstance(value, tuple) == bool(listed) and all(_fits(v, each) for v in items):
        return _as(value, each)
    what = f"a list of {_NAMES[each]}s" if listed else f"a {_NAMES[each]}".replace("a `", "`")
    message = f"`{name}` is {what}, not {describe(written)}"
    reader.add(Diagnostic("QF113", message, at=written.span))
    return None


def _fits(value: Scalar, type_: str) -> bool:
    return isinstance(value, _WHOLE[type_]) and (type_ == "bool" or not isinstance(value, bool))


def _as(value: Value, type_: str) -> Value:
    """`1` given for a float is 1.0: the plan says one thing in one way."""
    if type_ != "float":
        return value
    if isinstance(value, tuple):
        return tuple(float(v) for v in value)
    return float(value)


def _judge(
    reader: Reader,
    kind: str,
    chosen: str,
    prefix: str,
    found: Mapping[str, Value],
    others: Mapping[str, Value | None],
) -> None:
    """What is missing, and what the extension itself says of the values."""
    at = reader.span(prefix[:-1].partition(".")[0] or "method")
    whole = {**others, **{n[len(prefix) :]: v for n, v in found.items()}}
    own = facts.settings(kind, chosen)
    missing = [n for n, _, default in own if default is MISSING and n not in whole]
    for name in missing:
        full = f"{prefix}{name}"
        reader.add(Diagnostic("QF115", f"`{chosen}` needs `{full}`", at=at, about=full))
    required = [n for n, _, default in own if default is MISSING]
    if missing or any(whole[n] is None for n in required):
        return
    try:
        registry.load(kind, chosen)(**{n: v for n, v in whole.items() if v is not None})
    except ValueError as error:
        # the message begins with the field it is about, in backticks
        field = re.match(r"`(\w+)`", str(error))
        place = reader.span(f"{prefix}{field[1]}") if field else at
        message = str(error).replace("`", f"`{prefix}", 1) if field else str(error)
        reader.add(Diagnostic("QF111", message, at=place))
