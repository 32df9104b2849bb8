"""reading: values of the types a plan is made of, from JSON data, each checked against its type."""

from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin, get_type_hints

from qflow.diagnostics import Span
from qflow.plan import plan as types
from qflow.plan.json import KINDS, LEFT_OUT

_PLAIN = (str, int, float, bool, NoneType)


class Unreadable(Exception):
    """Data that no plan has; the text says where and what is wrong."""


class Reading:
    """Reads one plan. `paths` are the files that spans count."""

    def __init__(self, paths: tuple[str, ...], strict: bool) -> None:
        self._paths = paths
        self._strict = strict
        """Whether an unknown field is a mistake, and not of a later version."""

    def value(self, kind: Any, data: object) -> Any:
        """A value of a type as it is annotated. Raises Unreadable."""
        form, inner = _form(kind)
        if form == "record":
            return self._span(data) if kind is Span else self._record(kind, data)
        if form == "tuple":
            return self._tuple(inner, data)
        if form == "union":
            return self._union(inner, data)
        if form == "data":
            return _frozen(data)
        if form == "literal":
            return _expect(data in inner, kind, data)
        # 1 is what JSON may make of 1.0, but true is no number
        fits = type(data) is kind or (kind is float and type(data) is int)
        return _expect(fits, kind, data)

    def _record(self, kind: type, data: object) -> Any:
        own = _fields(kind)
        if not isinstance(data, dict):
            raise Unreadable(f"{_short(data)} stands where a {kind.__name__} belongs")
        if kind.__name__ in KINDS:
            data = {k: v for k, v in data.items() if k != "kind"}
        if self._strict and (strange := sorted(data.keys() - own.keys())):
            raise Unreadable(f"a {kind.__name__} has no field {_short(strange[0])}")
        if missing := sorted(own.keys() - data.keys() - _optional(kind)):
            raise Unreadable(f"a {kind.__name__} lacks its field `{missing[0]}`")
        values = {}
        name = ""
        try:
            for name in (n for n in own if n in data):
                values[name] = self.value(own[name], data[name])
        except Unreadable as error:
            raise Unreadable(f"{name}: {error}") from error
        return kind(**values)

    def _tuple(self, kinds: tuple[Any, ...], data: object) -> tuple[Any, ...]:
        if not isinstance(data, list):
            raise Unreadable(f"{_short(data)} stands where a list belongs")
        if kinds[-1] is Ellipsis:
            return tuple(self.value(kinds[0], item) for item in data)
        if len(kinds) != len(data):
            raise Unreadable(f"a list has {len(data)} items and not {len(kinds)}")
        return tuple(self.value(k, item) for k, item in zip(kinds, data, strict=True))

    def _union(self, kinds: tuple[Any, ...], data: object) -> Any:
        """The one alternative that can be meant: a source by its kind, else by the JSON type."""
        if data is None and NoneType in kinds:
            return None
        if named := [k for k in kinds if k is not NoneType and k.__name__ in KINDS]:
            word = data.get("kind") if isinstance(data, dict) else None
            kind = next((k for k in named if k.__name__.lower() == word), None)
            if kind is None:
                raise Unreadable(f"{_short(word)} is no kind of source")
            return self.value(kind, data)
        whole = [k for k in kinds if k not in _PLAIN]
        if whole and (isinstance(data, (list, dict)) or len(kinds) == len(whole)):
            return self.value(whole[0], data)
        if len(others := [k for k in kinds if k is not NoneType]) == 1:
            return self.value(others[0], data)
        return _expect(type(data) in kinds, kinds, data)

    def _span(self, data: object) -> Span:
        if not isinstance(data, list) or len(data) != 5 or any(type(n) is not int for n in data):
            raise Unreadable(f"{_short(data)} is no span of a file and four numbers")
        where, line, column, end_line, end_column = data
        if not 0 <= where < len(self._paths) or min(data[1:]) < 0:
            raise Unreadable(f"the span {_short(data)} lies in no file of the plan")
        return Span(self._paths[where], line, column, end_line, end_column)


@cache
def _form(kind: Any) -> tuple[str, tuple[Any, ...]]:
    """What sort of type it is, and the types in it."""
    if isinstance(kind, (str, ForwardRef)):
        # `Data`, the one type that holds itself
        return "data", ()
    if isinstance(kind, type) and is_dataclass(kind):
        return "record", ()
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        return "tuple", inner
    if origin in (Union, UnionType):
        # only `Data` holds two kinds of tuples
        many = len([k for k in inner if get_origin(k) is tuple]) > 1
        return ("data", ()) if many else ("union", inner)
    return ("literal", inner) if origin is Literal else ("plain", ())


@cache
def _fields(kind: type) -> dict[str, Any]:
    """Name to type of what the JSON form has."""
    hints = get_type_hints(kind, vars(types))
    return {f.name: hints[f.name] for f in fields(kind) if f.name not in LEFT_OUT}


@cache
def _optional(kind: type) -> frozenset[str]:
    """Fields with a default: an older minor version did not write all of them."""
    return frozenset(f.name for f in fields(kind) if f.default is not MISSING)


def _frozen(data: object) -> Any:
    """Nested plain data, its lists as tuples."""
    if isinstance(data, list):
        return tuple(map(_frozen, data))
    return _expect(type(data) in _PLAIN, "plain data", data)


def _expect(right: bool, kind: object, data: object) -> Any:
    if not right:
        name = kind.__name__ if isinstance(kind, type) else str(kind)
        raise Unreadable(f"{_short(data)} is no {name}")
    return data


def _short(data: object) -> str:
    text = repr(data)
    return text if len(text) <= 40 else f"{text[:40]}..."
