"""What a parser state accepts, in the words of the language."""

from collections.abc import Collection

from qflow.lang.grammar import terminal_patterns

VALUE = frozenset({"STRING", "INTEGER", "DECIMAL", "NAME", "LBRACE", "LSQB"})
ACTION = frozenset({"USE", "PATCH", "FLOAT", "SCALES"})
SELECTOR = frozenset({"STRING", "TYPE", "OP"})

_WORDS = {
    "NAME": "a name",
    "STRING": "a string in quotes",
    "INTEGER": "a number",
    "DECIMAL": "a number",
    "COMPARISON": "a comparison such as `>=`",
    "_NL": "a new line",
    "$END": "the end of the line",
}
_BEFORE_ACTION = {"COMMA", "EXCEPT", "EXPECT", "IN", "OPTIONAL"}


def keywords(accepted: Collection[str]) -> tuple[str, ...]:
    """The keywords among the accepted terminals, sorted."""
    patterns = terminal_patterns(accepted)
    return tuple(
        sorted(p for name, p in patterns.items() if name not in _WORDS and p.isidentifier())
    )


def readable(accepted: Collection[str]) -> str:
    """`a name or \\`}\\``: what may stand here, without repeating what one word covers."""
    left = set(accepted)
    words: list[str] = []
    if left >= VALUE:
        words.append("a value")
        left -= VALUE
    if {"SEMICOLON", "_NL"} <= left:
        # a new line ends every statement; that `;` and `}` do too would only be noise
        words.append("a new line")
        left -= {"SEMICOLON", "_NL", "RBRACE"}
    elif left & {"RBRACE", "RSQB"}:
        left.discard("_NL")
    if left >= ACTION:
        words.append("an action")
        left -= ACTION | _BEFORE_ACTION
    # a name may always go on; that is not what is missing
    if "DOT" in left:
        left = left - {"DOT", "LPAR", "LSQB"} or (left if not words else set())
    for name, pattern in sorted(terminal_patterns(left).items(), key=_order):
        word = _WORDS.get(name) or f"`{_plain(pattern)}`"
        if word not in words:
            words.append(word)
    return _either(words)


def _order(item: tuple[str, str]) -> tuple[int, str]:
    """Names and values first, then keywords, then punctuation."""
    name, pattern = item
    group = 0 if name in _WORDS and name != "$END" else 1 if pattern.isidentifier() else 2
    return group, pattern


def _plain(pattern: str) -> str:
    """Lark keeps the text of a keyword as it was written; only brackets are escaped."""
    return pattern.replace("\\", "")


def _either(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"
