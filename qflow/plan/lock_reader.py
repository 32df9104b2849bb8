"""lock_reader: a lock from its text; a damaged one is a QF301 at the line, never a wrong model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from qflow.diagnostics import Diagnostic, QflowError, Span, fail
from qflow.plan.inventory import Edge, Inventory, Module
from qflow.plan.lock import FIRST, OLDER, FileFact, Lock, structure
from qflow.plan.lock_chain import END, READS, edges_of, name_of, unchained
from qflow.plan.lock_line import (
    Damaged,
    edge_line,
    edge_of,
    kind_of,
    module_line,
    module_of,
    plain,
    split,
)

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass
class _Parts:
    """What was read so far."""

    files: list[FileFact] = field(default_factory=list)
    traced: str = ""
    model: str = ""
    digest: str = ""
    modules: list[Module] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    ended: bool = False


def parse(text: str, path: str) -> Lock:
    """The lock of a text; `path` is for messages.

    Raises QflowError QF301 for text that `render` did not write, or that was changed since.
    """
    # not splitlines: a quoted word may hold other separators
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").rstrip("\n").split("\n")
    first = lines[0].strip()
    if first not in (FIRST, OLDER):
        raise _damaged(path, 1, lines, f"the first line is not `{FIRST}`")
    parts = _Parts()
    take = _Chain().take if first == FIRST else _take
    for number, line in enumerate(lines[1:], start=2):
        try:
            take(parts, line)
        except Damaged as error:
            raise _damaged(path, number, lines, str(error)) from error
    if first == FIRST and not parts.ended:
        raise _damaged(path, len(lines), lines, "its end is missing")
    if not parts.model:
        raise _damaged(path, len(lines), lines, "there is no `model` line")
    if (problem := _unsound(parts)) is not None:
        raise _damaged(path, 1, lines, problem)
    inventory = Inventory(parts.model, tuple(parts.modules), tuple(parts.edges))
    return Lock(inventory, tuple(parts.files), parts.traced)


class _Chain:
    """Takes lines that end with a check and hold what a module reads."""

    def __init__(self) -> None:
        self._before = ""

    def take(self, parts: _Parts, line: str) -> None:
        words = split(line)
        if not words:
            return
        if parts.ended:
            raise Damaged("nothing belongs behind the `end` line")
        words = unchained(words, self._before)
        self._before = name_of(words)
        if tuple(words) == END:
            parts.ended = True
            return
        own, reads = _apart(words)
        _put(parts, own)
        if reads:
            if own[0] not in _PLACES:
                raise Damaged(f"a `{own[0]}` line reads nothing")
            parts.edges += edges_of(parts.modules[-1].address, reads)


def _apart(words: list[str]) -> tuple[list[str], list[str]]:
    """A line up to the arrow, and what stands behind it; a name may be an arrow too."""
    arrow = next((i for i, w in enumerate(words) if i > 4 and w == READS), len(words))
    return words[:arrow], words[arrow + 1 :]


def _take(parts: _Parts, line: str) -> None:
    """A line of format 1."""
    words = split(line)
    if words and words[0] == "edge":
        parts.edges.append(edge_of(words[1:]))
    elif words and words[0] == "model":
        if len(words) != 3:
            raise Damaged("one entry point and one digest belong into a lock")
        parts.digest = _digest(words[2])
        _put(parts, words[:2])
    elif words:
        _put(parts, words)


def _put(parts: _Parts, words: list[str]) -> None:
    kind, rest = words[0], words[1:]
    if kind in _PLACES:
        module = module_of(rest)
        if kind_of(module) != kind:
            raise Damaged(f"a `{kind}` line cannot have the operator `{module.op}`")
        parts.modules.append(module)
    elif kind in _HEAD:
        _HEAD[kind](parts, rest)
    else:
        raise Damaged(f"`{kind}` is no kind of line")


_PLACES = ("input", "module", "output")


def _file(parts: _Parts, words: list[str]) -> None:
    if len(words) != 2:
        raise Damaged("a path and a digest belong here")
    parts.files.append(FileFact("file", plain(words[0]), _digest(words[1]), 0))


def _code(parts: _Parts, words: list[str]) -> None:
    if len(words) != 3:
        raise Damaged("a path, a name and a digest belong here")
    parts.files.append(FileFact("file", plain(words[0]), _digest(words[2]), 0, plain(words[1])))


def _weights(parts: _Parts, words: list[str]) -> None:
    if len(words) != 4 or words[3] != "bytes" or not words[2].isdecimal():
        raise Damaged("a path, a digest and a size in bytes belong here")
    parts.files.append(FileFact("weights", plain(words[0]), _digest(words[1]), int(words[2])))


def _traced(parts: _Parts, words: list[str]) -> None:
    parts.traced = _digest(words[0] if words else "")


def _model(parts: _Parts, words: list[str]) -> None:
    if len(words) != 1 or parts.model:
        raise Damaged("one entry point belongs into a lock")
    parts.model = plain(words[0])


_HEAD = {"file": _file, "code": _code, "weights": _weights, "traced": _traced, "model": _model}


def _digest(word: str) -> str:
    if not _DIGEST.fullmatch(word):
        raise Damaged(f"`{word}` is no sha256 digest")
    return word


def _unsound(parts: _Parts) -> str | None:
    """What is wrong with the lines taken together."""
    known: Mapping[str, Module] = {m.address: m for m in parts.modules}
    if len(known) != len(parts.modules):
        return "an address occurs twice"
    for edge in parts.edges:
        if missing := next((a for a in (edge.source, edge.target) if a not in known), None):
            return f"an edge names `{missing}`, which has no line"
    if parts.digest == "":
        return None
    below = [*map(module_line, parts.modules), *map(edge_line, sorted(parts.edges))]
    if structure(below) != parts.digest:
        return "the digest of the `model` line is not that of the lines below it"
    return None


def _damaged(path: str, number: int, lines: list[str], problem: str) -> QflowError:
    width = len(lines[number - 1]) if 0 < number <= len(lines) else 0
    error = fail(
        Diagnostic(
            "QF301",
            f"this lock is damaged: {problem}",
            at=Span(path, number, 1, number, width + 1),
            help=f"write it again: `qflow lock {path.removesuffix('.lock')}`",
        )
    )
    error.sources = {path: "\n".join(lines)}
    return error
