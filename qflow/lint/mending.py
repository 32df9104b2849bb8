"""mending: the edits that findings of a file bring, made as far as nothing gets worse."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from qflow.diagnostics import Diagnostic
from qflow.diagnostics.edits import apply, together
from qflow.lang.sources import DISK, Overlay, Sources
from qflow.lint.findings import Findings, findings
from qflow.records import dataclass

MOST_ROUNDS = 8
"""An edit can uncover what another one mends, but not for ever."""


@dataclass(frozen=True)
class Mended:
    before: str
    """The text as it is, with its own line ends."""
    after: str
    done: tuple[Diagnostic, ...]
    """The findings whose edits were made, in the order they were made."""
    findings: Findings
    """Of the text after them."""


def mend(
    path: Path,
    settings: Mapping[str, str],
    locked: bool = False,
    sources: Sources = DISK,
    wanted: Callable[[Diagnostic], bool] = lambda _: True,
) -> Mended:
    """What the text of `path` is after every edit that brings no new error. Writes nothing.

    Only findings that are `wanted` are mended, and only in this file: what it imports is others'.
    Raises QflowError as `findings` does.
    """
    raw = _text(sources.read(path)) if sources.exists(path) else ""
    text = raw
    found = findings(path, settings, locked, sources)
    done: list[Diagnostic] = []
    refused: set[Diagnostic] = set()
    for _ in range(MOST_ROUNDS):
        able = [
            d
            for d in found.diagnostics
            if d.edits and d not in refused and wanted(d) and _inside(d, path)
        ]
        batch = together(able)
        if not batch:
            break
        for group in (batch, *((d,) for d in batch if len(batch) > 1)):
            changed = apply(text, (e for d in group for e in d.edits))
            after = findings(path, settings, locked, Overlay(sources, {path: changed}))
            if _no_worse(found, after, group):
                text, found = changed, after
                done += group
                break
            if len(group) == 1:
                refused |= set(group)
    return Mended(raw, text, tuple(done), found)


def _text(raw: bytes) -> str:
    """Everything stays as it is but what is no UTF-8, and of that there are no findings."""
    return raw.decode("utf-8", errors="surrogateescape")


def _inside(d: Diagnostic, path: Path) -> bool:
    return all(e.span.path == path.as_posix() for e in d.edits)


def _no_worse(before: Findings, after: Findings, mended: Iterable[Diagnostic]) -> bool:
    """Whether every error was there before. Lines may have moved, so they are not compared.

    What a text says is seen only where it parses: behind a mistake of the text new errors are no
    work of the edit, unless there are more of these mistakes or its own is still there.
    """
    old, new = _errors(before), _errors(after)
    if new <= old:
        return True
    left = any(new[_said(d)] >= old[_said(d)] for d in mended)
    return not left and 0 < _of_text(old) >= _of_text(new)


def _errors(found: Findings) -> Counter[tuple[str, str]]:
    return Counter(_said(d) for d in found.diagnostics if d.severity == "error")


def _said(d: Diagnostic) -> tuple[str, str]:
    return d.code, d.message


def _of_text(errors: Counter[tuple[str, str]]) -> int:
    return sum(n for (code, _), n in errors.items() if code.startswith("QF10"))
