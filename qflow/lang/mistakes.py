"""From a place where parsing stopped to a diagnostic that names the mistake.

A parser state is judged by what it accepts, so nothing here depends on state numbers.
"""

import re
from collections.abc import Callable

from qflow import registry
from qflow.diagnostics import Diagnostic, Edit, Label, Span
from qflow.diagnostics.meant import respelled
from qflow.lang.expected import ACTION, SELECTOR, keywords, readable
from qflow.lang.split import ITEM_WORDS
from qflow.lang.stop import NOT_SPACE, Stop

END_OF_LINE = "the end of the line"
_LONGEST_QUOTE = 40
_CLOSING = {"{": "}", "[": "]", "(": ")"}
_ITEM = re.compile(rf"(?:{'|'.join(ITEM_WORDS)})\s+\w[^=]*\{{|(?:use|param)\s+[\w\"]")
_STAGE = re.compile(r"\s*stage\s+\w+\s+on\b")
_SINGLE_QUOTED = re.compile(r"'([^'\"\\\n]*)'")
_PATTERN = re.compile(r"[\w.*?\-\[\]]+")


def explain(stop: Stop) -> Diagnostic:
    """The first mistake that fits, in the order of `MISTAKES`; else what was expected."""
    for mistake in MISTAKES:
        if found := mistake(stop):
            return found
    return _unexpected(stop)


def _open_string(stop: Stop) -> Diagnostic | None:
    if not stop.text.startswith('"') or stop.token is not None:
        return None
    line_end = stop.chunk.text.find("\n", stop.offset)
    end = len(stop.chunk.text) if line_end < 0 else line_end
    return Diagnostic(
        "QF105",
        "this string is never closed",
        at=stop.span(stop.offset, end),
        label='there is no second `"` on this line',
    )


def _colon_for_equals(stop: Stop) -> Diagnostic | None:
    if stop.type != "COLON" or "EQUAL" not in stop.accepted:
        return None
    return Diagnostic(
        "QF101",
        "a field is set with `=`, not with `:`",
        at=stop.here,
        label="write `=`",
        edits=(Edit(stop.here, "=" if stop.chunk.text[stop.offset - 1].isspace() else " ="),),
    )


def _equals_for_colon(stop: Stop) -> Diagnostic | None:
    if stop.type != "EQUAL" or "COLON" not in stop.accepted:
        return None
    return Diagnostic(
        "QF105",
        "inside a value a name is followed by `:`, not by `=`",
        at=stop.here,
        label="write `:`",
        edits=(Edit(stop.here, ":"),),
    )


def _never_closed(stop: Stop) -> Diagnostic | None:
    """The text ends inside a block, or something begins that only begins outside of it."""
    still_open = stop.open
    if not still_open:
        return None
    bracket = still_open[-1]
    closing = _CLOSING[bracket.text]
    at_end = stop.type == "$END" and bool(stop.chunk.open)
    other = any(stop.text == _CLOSING[m.text] != closing for m in still_open)
    if not (at_end or other or _begins_outside(stop) or _cut_short(stop)):
        return None
    what = {"{": "block", "[": "list", "(": "argument list"}[bracket.text]
    before = stop.here if other else _first_word(stop)
    also = () if at_end else (Label(before, f"expected `{closing}` before this"),)
    return Diagnostic(
        "QF103",
        f"this {what} is never closed",
        at=stop.span(bracket.offset, bracket.offset + 1),
        label=f"no `{closing}` belongs to this `{bracket.text}`",
        also=also,
    )


def _begins_outside(stop: Stop) -> bool:
    """The line begins an item at its first column, or a stage inside a stage."""
    text, start = stop.chunk.text, stop.line_start
    if start and _ITEM.match(text, start):
        return True
    in_stage = sum(1 for mark in stop.open if mark.text == "{") > 1
    return in_stage and bool(_STAGE.match(text, start))


def _cut_short(stop: Stop) -> bool:
    """A line begins where only the end of a list or dict could stand."""
    closing = stop.accepted & {"RBRACE", "RSQB"}
    nothing_else = stop.accepted - {"_NL", "COMMA"} == closing
    return bool(stop.chunk.open) and stop.starts_line and bool(closing) and nothing_else


def _first_word(stop: Stop) -> Span:
    found = NOT_SPACE.search(stop.chunk.text, stop.line_start)
    return stop.span(*found.span()) if found else stop.here


def _no_action(stop: Stop) -> Diagnostic | None:
    if not stop.accepted >= ACTION or stop.token is None:
        return None
    if stop.type in ("_NL", "SEMICOLON", "RBRACE", "$END"):
        start = _statement_start(stop)
        return Diagnostic(
            "QF102",
            "this rule has no action",
            at=stop.span(start, stop.before.end),
            label="says what to match, not what to do",
            help="end it with `use QCONFIG`, `patch { ... }` or `float`",
        )
    if stop.type != "NAME" or registry.nearest(stop.text, keywords(stop.accepted)):
        return None
    return Diagnostic(
        "QF102",
        "this rule has no action",
        at=stop.here,
        label="not an action",
        help=f"write `use {stop.text}` if it is a qconfig",
    )


def _unquoted_pattern(stop: Stop) -> Diagnostic | None:
    inside_pattern = stop.accepted == {"LPAR"}
    starts_pattern = stop.accepted >= SELECTOR and stop.token is None
    within = (
        stop.accepted == {"STRING"}
        and stop.before.last is not None
        and stop.before.last.type == "IN"
        and stop.text[:1] not in ("", '"', "{", "[")
    )
    if not (inside_pattern or starts_pattern or within) or stop.text[:1] in ("'", '"'):
        return None
    last = stop.before.last
    start = last.start_pos if inside_pattern and last is not None else stop.offset
    found = _PATTERN.match(stop.chunk.text, start or 0)
    if not found:
        return None
    return Diagnostic(
        "QF104",
        "a pattern stands in quotes",
        at=stop.span(found.start(), found.end()),
        label="not quoted",
        help=f'write `"{found.group()}"`',
        edits=(Edit(stop.span(found.start(), found.end()), f'"{found.group()}"'),),
    )


def _single_quotes(stop: Stop) -> Diagnostic | None:
    if not stop.text.startswith("'"):
        return None
    whole = _SINGLE_QUOTED.match(stop.chunk.text, stop.offset)
    edits = (Edit(stop.span(*whole.span()), f'"{whole[1]}"'),) if whole else ()
    return Diagnostic(
        "QF105",
        "a string stands in double quotes",
        at=stop.here,
        label="not a quote of the language",
        help='write `"..."`',
        edits=edits,
    )


def _foreign_letter(stop: Stop) -> Diagnostic | None:
    if stop.token is not None or not stop.text[:1].isalpha():
        return None
    return Diagnostic(
        "QF105",
        "a name has the letters `a` to `z`, digits and `_`",
        at=stop.span(stop.offset, stop.offset + 1),
        label="another letter",
    )


def _closes_nothing(stop: Stop) -> Diagnostic | None:
    if stop.text not in _CLOSING.values():
        return None
    if any(_CLOSING[mark.text] == stop.text for mark in stop.open):
        return None
    return Diagnostic("QF105", f"this `{stop.text}` closes nothing", at=stop.here)


def _misspelt(stop: Stop) -> Diagnostic | None:
    if stop.type != "NAME":
        return None
    known = keywords(stop.accepted)
    near = registry.nearest(stop.text, known)
    if not near:
        return None
    return Diagnostic(
        "QF105",
        f"expected {readable(stop.accepted)}, found `{_short(stop.text)}`",
        at=stop.here,
        help=f"did you mean `{near[0]}`?",
        edits=respelled(stop.here, stop.text, known),
    )


def _unexpected(stop: Stop) -> Diagnostic:
    found = f"`{_short(stop.text)}`" if stop.text else END_OF_LINE
    compared = stop.type == "EQUAL" and "COMPARISON" in stop.accepted
    return Diagnostic(
        "QF105",
        f"expected {readable(stop.accepted)}, found {found}",
        at=stop.here,
        help="write `==` to compare" if compared else "",
        edits=(Edit(stop.here, "=="),) if compared else (),
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 3] + "..."


def _statement_start(stop: Stop) -> int:
    """Where the rule begins: after the last line end, `;` or brace."""
    found = NOT_SPACE.search(stop.chunk.text, stop.before.statement)
    return found.start() if found else stop.before.statement


Mistake = Callable[[Stop], Diagnostic | None]

MISTAKES: tuple[Mistake, ...] = (
    _open_string,
    _single_quotes,
    _colon_for_equals,
    _equals_for_colon,
    _never_closed,
    _closes_nothing,
    _foreign_letter,
    _no_action,
    _unquoted_pattern,
    _misspelt,
)
