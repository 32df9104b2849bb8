"""Records are what the standard frozen dataclasses are, asked side by side."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import InitVar, field
from functools import cached_property
from typing import Any, ClassVar

import pytest

from qflow import records

Decorator = Callable[..., Any]


def defined(dataclass: Decorator) -> dict[str, type]:
    """The same classes, by one decorator or the other."""

    @dataclass(frozen=True)
    class Node:
        """A base."""

        at: int = field(default=0, kw_only=True, compare=False, repr=False)

    @dataclass(frozen=True)
    class Pair(Node):
        own: Any
        self_: Any = 2
        items: list[int] = field(default_factory=list)
        kind: ClassVar[str] = "pair"

    @dataclass(frozen=True)
    class Counted(Node):
        names: tuple[str, ...] = ()
        made: int = field(init=False, default=7)
        each: dict[str, int] = field(init=False, default_factory=dict)

        def __post_init__(self) -> None:
            object.__setattr__(self, "made", len(self.names))

        @cached_property
        def first(self) -> str:
            return self.names[0]

    @dataclass(frozen=True)
    class Own:
        value: Any

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own)

        def __repr__(self) -> str:
            return "mine"

    @dataclass(frozen=True)
    class Empty:
        pass

    @dataclass(frozen=True)
    class Single:
        value: Any

    @dataclass(frozen=True)
    class Given:
        value: Any
        seed: InitVar[int] = 1

        def __post_init__(self, seed: int) -> None:
            object.__setattr__(self, "value", seed)

    @dataclass(frozen=True, order=True)
    class Ordered:
        value: int

    return {c.__name__: c for c in (Node, Pair, Counted, Own, Empty, Single, Given, Ordered)}


OURS, STANDARD = defined(records.dataclass), defined(dataclasses.dataclass)


def both(ask: Callable[[dict[str, type]], Any]) -> tuple[Any, Any]:
    return tuple(_answer(ask, each) for each in (OURS, STANDARD))  # type: ignore[return-value]


def _answer(ask: Callable[[dict[str, type]], Any], classes: dict[str, type]) -> Any:
    try:
        return ask(classes)
    except (TypeError, AttributeError) as error:
        return type(error)


ASKED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "places": lambda c: repr(c["Pair"](1, 2, [3])),
    "words": lambda c: repr(c["Pair"](own=1, at=3)) + str(c["Pair"](own=1, at=3).at),
    "too few": lambda c: c["Pair"](),
    "too many": lambda c: c["Pair"](1, 2, [3], 4),
    "unknown": lambda c: c["Pair"](1, other=2),
    "twice": lambda c: c["Pair"](1, own=2),
    "not an argument": lambda c: c["Counted"](made=2),
    "factories": lambda c: c["Pair"](1).items is c["Pair"](1).items,
    "made": lambda c: repr(c["Counted"](("a", "b"))),
    "equal": lambda c: c["Pair"](1, at=1) == c["Pair"](1, at=2),
    "not equal": lambda c: c["Pair"](1) == c["Pair"](2),
    "another class": lambda c: c["Single"](1) == c["Own"](1),
    "nothing like it": lambda c: c["Single"](1) == 1,
    "hash": lambda c: hash(c["Single"]((1, 2))) == hash(c["Single"]((1, 2))),
    "hash of a list": lambda c: hash(c["Pair"](1)),
    "hash of another place": lambda c: hash(c["Node"](at=1)) == hash(c["Node"](at=2)),
    "own": lambda c: (c["Own"](1) == c["Own"](2), repr(c["Own"](1)), hash(c["Own"](1)) is None),
    "empty": lambda c: (repr(c["Empty"]()), c["Empty"]() == c["Empty"](), hash(c["Empty"]())),
    "fields": lambda c: [f.name for f in dataclasses.fields(c["Pair"])],
    "replace": lambda c: repr(dataclasses.replace(c["Pair"](1), own=5)),
    "asdict": lambda c: dataclasses.asdict(c["Pair"](c["Single"](2))),
    "match": lambda c: c["Pair"].__match_args__,
    "cached": lambda c: (lambda made: (made.first, made.first, repr(made)))(c["Counted"](("a",))),
    "init var": lambda c: c["Given"](1, seed=4).value,
    "order": lambda c: c["Ordered"](1) < c["Ordered"](2),
    "copy": lambda c: copy.deepcopy(c["Pair"](1, at=4)).at,
    "doc": lambda c: c["Node"].__doc__,
    "set": lambda c: setattr(c["Pair"](1), "own", 2),
    "set another": lambda c: setattr(c["Pair"](1), "other", 2),
    "delete": lambda c: delattr(c["Pair"](1), "own"),
    "set below": lambda c: setattr(type("Below", (c["Single"],), {})(1), "value", 2),
    "set new below": lambda c: setattr(type("Below", (c["Single"],), {})(1), "more", 2),
    "init below": lambda c: type("Below", (c["Single"],), {})(3).value,
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_it_answers_as_the_standard_one(ask: Callable[[dict[str, type]], Any]) -> None:
    ours, standard = both(ask)
    assert ours == standard


@records.dataclass(frozen=True)
class Kept:
    value: Any
    more: tuple[int, ...] = ()


def test_it_survives_pickle_and_recursion() -> None:
    assert pickle.loads(pickle.dumps(Kept(1, (2,)))) == Kept(1, (2,))
    items: list[Any] = []
    items.append(Kept(items))
    assert repr(items[0]) == "Kept(value=[...], more=())"


def test_a_class_that_nobody_makes_costs_no_compilation() -> None:
    """The reason for all of this: counted in a new process."""
    code = (
        "import dataclasses, builtins, sys\n"
        "from qflow.records import dataclass\n"
        "import qflow.records as records\n"
        "plain, compiled = builtins.exec, []\n"
        "counted = lambda text, *places: (compiled.append(text), plain(text, *places))[1]\n"
        "dataclasses.exec = records.exec = counted\n"
        "@dataclass(frozen=True)\n"
        "class A:\n    x: int\n    y: int = 2\n"
        "assert not compiled, compiled\n"
        "assert [A(1).y, A(2).x, A(3).y] == [2, 2, 2]\n"
        "assert len(compiled) == 1, compiled\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
