"""Extensions found by file name: observers/mse.py defines Mse and is called `mse` in a .qf file."""

from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pkgutil import iter_modules
from typing import Any, cast


@cache
def names(kind: str) -> tuple[str, ...]:
    """Every name of this kind, built in or installed, without importing any of them.

    `kind` is the package below `qflow`, such as `quantization.observers`.
    """
    package = import_module(f"qflow.{kind}")
    built_in = {m.name for m in iter_modules(package.__path__) if not m.name.startswith("_")}
    foreign = set(installed(kind))
    if clash := built_in & foreign:
        raise ValueError(f"qflow.{kind}: defined twice: {', '.join(sorted(clash))}")
    return tuple(sorted(built_in | foreign))


@cache
def load(kind: str, name: str) -> Any:
    """The class called `name`; importing its one file is the only cost.

    Raises KeyError when there is none: ask `names` or `nearest` first.
    """
    if name not in names(kind):
        raise KeyError(f"qflow.{kind} has no `{name}`")
    if entry := installed(kind).get(name):
        return entry.load()
    module = import_module(f"qflow.{kind}.{name}")
    return getattr(module, class_name(name))


@cache
def _every_entry_point() -> EntryPoints:
    # reading them opens a file per installed package: once is enough. Python 3.10 returns a class
    # of another name, which selects as well
    return cast(EntryPoints, entry_points())


def installed(kind: str) -> dict[str, EntryPoint]:
    """Extensions of this kind that other packages bring, by name."""
    return {e.name: e for e in _every_entry_point().select(group=f"qflow.{kind}")}


def class_name(name: str) -> str:
    """`min_max` -> `MinMax`: the class a file of that name defines."""
    return "".join(part.capitalize() for part in name.split("_"))


def nearest(word: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Up to three known names that look like `word`."""
    return tuple(get_close_matches(word, known, n=3, cutoff=0.5))
