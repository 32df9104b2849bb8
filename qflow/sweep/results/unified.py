"""unified: the difference of two texts as `git apply` and `patch -p1` read it."""

import difflib
import re

_STRANGE = re.compile(r'["\\\x00-\x1f\x7f]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_NO_END = "\n\\ No newline at end of file\n"


def unified(before: str, after: str, path: str) -> str:
    """Lines end as in the texts; empty where they are equal."""
    found = difflib.unified_diff(_lines(before), _lines(after), _name("a", path), _name("b", path))
    return "".join(line if line.endswith("\n") else line + _NO_END for line in found)


def _lines(text: str) -> list[str]:
    """Cut at `\\n` alone: what else may end a line belongs to it."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _name(side: str, path: str) -> str:
    """As git writes it: in quotes where a reader would end it too early."""
    name = f"{side}/{path}"
    if _STRANGE.search(name):
        return f'"{_STRANGE.sub(_escaped, name)}"'
    # behind a tab comes a time, so that a name with spaces ends there
    return f"{name}\t" if " " in name else name


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    return _ESCAPES.get(character) or f"\\{ord(character):03o}"
