"""A TextMate tokenizer of the kind editors have, for the part of the format our grammar uses."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

_pattern = cache(re.compile)


@dataclass(frozen=True)
class Scoped:
    """A stretch of one line with everything an editor knows of it, outermost first."""

    line: int
    start: int
    end: int
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class _Open:
    rule: Mapping[str, Any]
    scopes: tuple[str, ...]


def tokenize(grammar: Mapping[str, Any], text: str) -> list[Scoped]:
    """Line by line, as editors do; a rule that is open at the end of a line goes on in the next."""
    stack = [_Open(grammar, (grammar["scopeName"],))]
    found: list[Scoped] = []
    for number, line in enumerate(text.split("\n"), 1):
        found += [replace(s, line=number) for s in _line(grammar, stack, line)]
    return found


def _line(grammar: Mapping[str, Any], stack: list[_Open], line: str) -> Iterator[Scoped]:
    at = 0
    steps = 0
    while at <= len(line):
        steps += 1
        assert steps < 10_000, f"the grammar does not get on in {line!r}"
        top = stack[-1]
        best: tuple[int, int, re.Match[str], Mapping[str, Any] | None] | None = None
        if "end" in top.rule and (match := _pattern(top.rule["end"]).search(line, at)):
            best = (match.start(), -1, match, None)
        for order, rule in enumerate(_rules(grammar, top.rule)):
            found = _pattern(rule.get("match") or rule["begin"]).search(line, at)
            if found and (best is None or (found.start(), order) < best[:2]):
                best = (found.start(), order, found, rule)
        if best is None:
            yield Scoped(0, at, len(line), top.scopes)
            return
        _, _, match, rule = best
        yield Scoped(0, at, match.start(), top.scopes)
        if rule is None:
            yield from _captured(grammar, match, top.rule.get("endCaptures", {}), top.scopes)
            stack.pop()
            at = match.end()
            if at == len(line) == match.start() and len(stack) == 1:
                return
            continue
        named = (rule["name"],) if "name" in rule else ()
        scopes = (*top.scopes, *named)
        captures = rule.get("captures") or rule.get("beginCaptures", {})
        yield from _captured(grammar, match, captures, scopes)
        if "begin" in rule:
            stack.append(_Open(rule, scopes))
        elif match.end() == match.start():
            return
        at = match.end()


def _rules(grammar: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for pattern in rule.get("patterns", ()):
        if "include" in pattern:
            included = grammar["repository"][pattern["include"][1:]]
            single = "match" in included or "begin" in included
            yield from [included] if single else _rules(grammar, included)
        else:
            yield pattern


def _captured(
    grammar: Mapping[str, Any],
    match: re.Match[str],
    captures: Mapping[str, Any],
    scopes: tuple[str, ...],
) -> Iterator[Scoped]:
    at = match.start()
    for number, capture in captures.items():
        start, end = match.span(int(number))
        if start < 0:
            continue
        yield Scoped(0, at, start, scopes)
        inner = (*scopes, capture["name"]) if "name" in capture else scopes
        if "patterns" in capture:
            for part in _line(grammar, [_Open(capture, inner)], match.group(int(number))):
                yield replace(part, start=part.start + start, end=part.end + start)
        else:
            yield Scoped(0, start, end, inner)
        at = end
    yield Scoped(0, at, match.end(), scopes)
