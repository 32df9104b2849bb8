"""Extensions found by file name: observers/mse.py defines Mse and is called `mse` in a .qf file."""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

_SECTION = b"[qflow."
"""How the extensions of a package begin in its `entry_points.txt`."""


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
    from importlib.metadata import entry_points

    # Python 3.10 returns a class of another name, which selects as well
    return cast("EntryPoints", entry_points())


@cache
def _any_installed() -> bool:
    """Whether a package on the path brings extensions.

    The question `importlib.metadata` answers, for a tenth of its price: most often nothing does.
    Where packages may lie in other places than folders, the answer is yes, and it is asked.
    """
    finders = (f for f in sys.meta_path if f is not PathFinder)
    if any(hasattr(f, "find_distributions") for f in finders):
        return True
    return any(_extends(entry) for entry in dict.fromkeys(sys.path))


def _extends(folder: str) -> bool:
    """Whether a package whose metadata lies in an entry of the path brings extensions."""
    if folder.rstrip("/\\").endswith(".egg") or os.path.isfile(folder):
        return True
    try:
        found = os.listdir(folder or os.curdir)
    except OSError:
        return False
    described = (n for n in found if n.lower().endswith((".dist-info", ".egg-info")))
    return any(_SECTION in _bytes(os.path.join(folder, n, "entry_points.txt")) for n in described)


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def installed(kind: str) -> dict[str, EntryPoint]:
    """Extensions of this kind that other packages bring, by name."""
    if not _any_installed():
        return {}
    return {e.name: e for e in _every_entry_point().select(group=f"qflow.{kind}")}


def class_name(name: str) -> str:
    """`min_max` -> `MinMax`: the class a file of that name defines."""
    return "".join(part.capitalize() for part in name.split("_"))


def nearest(word: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Up to three known names that look like `word`."""
    return tuple(get_close_matches(word, known, n=3, cutoff=0.5))
