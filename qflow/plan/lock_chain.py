"""lock_chain: what ties the lines of a lock together, so that git can merge what nobody may break.

Each line ends with a check, `~3f9a1c02`: eight digits of a sha256 over its own words and the name
of the line before it. A changed line, one that is missing, one that came twice or at another place
is noticed, and yet what happens to one module changes its own line and, where modules come and go,
the check of the line behind them. No line depends on all of them, so two branches that touch
different modules merge; an empty line stands between any two because git does not merge changes of
neighbours.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

from qflow.plan.inventory import Edge
from qflow.plan.lock_line import Damaged, Line, plain, quoted

READS = "<-"
END: Line = ("end",)
"""The last line: its check says that none behind it was lost."""

_CHECK = re.compile(r"~[0-9a-f]{8}")
_SLOT = re.compile(r"(\d{1,9}):")
_NAMED = {"code": 3, "file": 2, "weights": 2, "input": 2, "module": 2, "output": 2, "model": 2}
"""How many words of a line name it."""


def name_of(words: Iterable[str]) -> str:
    """What the line behind knows of a line: its kind and address, not its facts."""
    line = tuple(words)
    return " ".join(line[: _NAMED.get(line[0], 1)]) if line else ""


def check_of(before: str, words: Iterable[str]) -> str:
    """The last word of a line, given the name of the line before it."""
    text = f"{before}\n{' '.join(words)}"
    return f"~{sha256(text.encode(errors='surrogatepass')).hexdigest()[:8]}"


def chained(lines: Iterable[Line]) -> Iterator[Line]:
    """Lines with their checks."""
    before = ""
    for line in lines:
        yield (*line, check_of(before, line))
        before = name_of(line)


def unchained(words: list[str], before: str) -> list[str]:
    """The words of a line without its check. Raises Damaged when that is not the right one."""
    if not words or not _CHECK.fullmatch(words[-1]):
        raise Damaged("it does not end with its check, such as `~3f9a1c02`")
    if check_of(before, words[:-1]) != words[-1]:
        place = f"behind `{before}`" if before else "as the first one"
        raise Damaged(f"it was changed, or does not belong here, {place}")
    return words[:-1]


def reads_of(edges: Iterable[Edge]) -> Line:
    """What a module reads, as the end of its line: `<- a b`, operand 0 and operand 1.

    A number in front, `2: a`, gives the operand where it is not the next one.
    """
    words: list[str] = []
    following = 0
    for edge in edges:
        if edge.slot != following:
            words.append(f"{edge.slot}:")
        source = quoted(edge.source)
        words.append(f'"{source}"' if _SLOT.fullmatch(source) else source)
        following = edge.slot + 1
    return (READS, *words) if words else ()


def edges_of(target: str, words: Iterable[str]) -> Iterator[Edge]:
    """The reverse of `reads_of`, of the words behind the arrow. Raises Damaged."""
    slot = 0
    for word in words:
        if found := _SLOT.fullmatch(word):
            slot = int(found[1])
            continue
        yield Edge(plain(word), target, slot)
        slot += 1


def by_target(edges: Iterable[Edge]) -> Mapping[str, list[Edge]]:
    """Edges per module that reads."""
    found: dict[str, list[Edge]] = {}
    for edge in edges:
        found.setdefault(edge.target, []).append(edge)
    return found
