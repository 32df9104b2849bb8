"""The Lark grammar as a parser; its tables are kept as JSON in the user's cache folder.

Building the tables takes a few tenths of a second, loading them a hundredth. The cache is plain
data (never pickle), and whatever is wrong with it only means that the tables are built again.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from qflow import atomic, resources

STARTS = ("edition", "item")
"""A file is parsed item by item, so that one mistake does not hide the next."""


class _WordsWhole:
    """Lets the lexer read a whole word in every state: `modelx` is never `model` and then `x`."""

    always_accept = ("NAME",)

    def process(self, stream: Iterator[lark.Token]) -> Iterator[lark.Token]:
        return stream


@cache
def parser() -> lark.Lark:
    """The parser for edition 1, from the cache where possible."""
    text = (resources.folder("grammar") / "qflow.lark").read_text(encoding="utf-8")
    path = _cache_path(text)
    tables = _read(path) if path else None
    if tables is None:
        tables = build(text)
        if path:
            _write(path, tables)
    return load(tables)


def build(grammar: str, strict: bool = False) -> str:
    """Tables of a grammar as JSON. `strict` also proves that it has no conflict (for tests)."""
    built = lark.Lark(
        grammar,
        parser="lalr",
        start=list(STARTS),
        propagate_positions=True,
        maybe_placeholders=True,
        strict=strict,
    )
    data, memo = built.memo_serialize([TerminalDef, Rule])
    return json.dumps({"data": data, "memo": memo}, separators=(",", ":"))


def load(tables: str) -> lark.Lark:
    """A parser from the tables `build` made."""
    read = json.loads(tables)
    table = read["data"]["parser"]["parser"]
    # JSON turned the integer keys into strings
    table["tokens"] = _by_number(table["tokens"])
    table["states"] = {
        state: _by_number(actions) for state, actions in _by_number(table["states"]).items()
    }
    # as the stand-alone parsers do that Lark generates; it has no public name for this
    untyped: Any = lark.Lark
    made: lark.Lark = untyped._load_from_dict(
        read["data"], _by_number(read["memo"]), postlex=_WordsWhole()
    )
    return made


def terminal_patterns(names: Iterable[str]) -> dict[str, str]:
    """What each of these terminals looks like: the word itself for a keyword, else its regex."""
    known = {terminal.name: terminal.pattern.value for terminal in parser().terminals}
    return {name: known.get(name, "") for name in names}


def _by_number(table: dict[str, Any]) -> dict[int, Any]:
    return {int(key): value for key, value in table.items()}


def _cache_path(grammar: str) -> Path | None:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not os.path.isabs(home):
        return None
    key = hashlib.sha256(f"{lark.__version__}\n{grammar}".encode()).hexdigest()
    return Path(home) / "qflow" / f"grammar-{key[:32]}.json"


def _read(path: Path) -> str | None:
    """The tables, or None when they are missing or not exactly what was written."""
    try:
        digest, _, tables = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return tables if digest == _digest(tables) else None


def _write(path: Path, tables: str) -> None:
    """A cache that cannot be written is no problem of the user."""
    with suppress(OSError):
        atomic.write(path, f"{_digest(tables)}\n{tables}")


def _digest(tables: str) -> str:
    return hashlib.sha256(tables.encode()).hexdigest()
