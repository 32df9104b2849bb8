"""records: `dataclass` for files that define many frozen classes, of which a run makes a few.

The one of the standard library compiles six functions for each class when it is defined, half a
millisecond that nobody may ever use: of a short verb's start that was a fifth. Here five of them
are shared, and `__init__` is compiled when the first instance is made; `inspect.signature` knows
its arguments only then. All else is the same: for type checkers it is the standard one, and
`fields`, `replace` and `match` work.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

_SELF, _OWN, _MISSING = "__record_self__", "__record_own__", "__record_missing__"
"""Names in a compiled `__init__` that no field has."""

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: type | None = None, /, **options: Any) -> Any:
        """`@dataclass(frozen=True)`; with any other option, or `InitVar`, the standard one."""
        if cls is None:
            return lambda decorated: dataclass(decorated, **options)
        if options != {"frozen": True} or not _is_simple(cls):
            return dataclasses.dataclass(cls, **options)
        # without one the standard decorator writes a signature into it, and imports `inspect`
        cls.__doc__ = cls.__doc__ or cls.__name__
        return _shared(dataclasses.dataclass(cls, init=False, repr=False, eq=False))


def _is_simple(cls: type) -> bool:
    """No `InitVar`, and no base that the standard decorator froze: its `__setattr__` is its own."""
    bases = (getattr(base, "__dataclass_params__", None) for base in cls.__mro__[1:])
    own = vars(cls).get("__annotations__", {})
    return not any(b and b.frozen for b in bases) and not any(
        "InitVar" in str(a) for a in own.values()
    )


def _shared(cls: type) -> type:
    every = dataclasses.fields(cls)
    names = frozenset(f.name for f in every)
    compared = _reader([f.name for f in every if f.compare])
    hashed = _reader([f.name for f in every if (f.compare if f.hash is None else f.hash)])
    shown = [f.name for f in every if f.repr]

    def __eq__(self: Any, other: object) -> Any:
        return (
            compared(self) == compared(other)
            if other.__class__ is self.__class__
            else NotImplemented
        )

    def __hash__(self: Any) -> int:
        return hash(hashed(self))

    @recursive_repr()
    def __repr__(self: Any) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{self.__class__.__qualname__}({values})"

    def __setattr__(self: Any, name: str, value: object) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def __delattr__(self: Any, name: str) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        object.__delattr__(self, name)

    def __init__(self: Any, *args: Any, **given: Any) -> None:
        made = _init_of(cls, every)
        cls.__init__ = made  # type: ignore[misc]
        made(self, *args, **given)

    own = vars(cls)
    if "__eq__" in own and own.get("__hash__") is None:
        # Python set it to None for the class's own `__eq__`; the standard decorator replaces that
        del cls.__hash__
    for method in (__eq__, __hash__, __repr__, __setattr__, __delattr__, __init__):
        if method.__name__ not in vars(cls):
            method.__qualname__ = f"{cls.__qualname__}.{method.__name__}"
            setattr(cls, method.__name__, method)
    return cls


def _reader(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """The values of these attributes."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda instance: tuple(getattr(instance, name) for name in names)


def _init_of(cls: type, every: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    """`__init__`, compiled from the names and defaults of the fields."""
    known: dict[str, Any] = {_MISSING: dataclasses.MISSING}
    places: list[str] = []
    words: list[str] = []
    lines = [f"{_OWN} = {_SELF}.__dict__"]
    for field in every:
        name = field.name
        value = name
        made = field.default_factory is not dataclasses.MISSING
        if made:
            known[f"_make_{name}"] = field.default_factory
            value = (
                f"_make_{name}() if {name} is {_MISSING} else {name}"
                if field.init
                else f"_make_{name}()"
            )
        if field.init:
            argument = name
            if made:
                argument = f"{name}={_MISSING}"
            elif field.default is not dataclasses.MISSING:
                known[f"_default_{name}"] = field.default
                argument = f"{name}=_default_{name}"
            (words if field.kw_only else places).append(argument)
        if field.init or made:
            lines.append(f"{_OWN}[{name!r}] = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append(f"{_SELF}.__post_init__()")
    arguments = ", ".join([_SELF, *places, *(["*", *words] if words else [])])
    exec(f"def __init__({arguments}):\n " + "\n ".join(lines), known)
    made_init: Callable[..., None] = known["__init__"]
    made_init.__qualname__ = f"{cls.__qualname__}.__init__"
    return made_init
