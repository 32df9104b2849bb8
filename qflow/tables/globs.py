"""globs: pairs of patterns: what stands for the stars of an address stands for those of a name."""

from __future__ import annotations

import re
from functools import lru_cache

from qflow.records import dataclass

MOST_STARS = 6
"""More would let one pattern be matched in too many ways."""
_STARS = re.compile(r"\*\*|\*")


@dataclass(frozen=True)
class GlobPair:
    """`*` stands for text without a dot, `**` for any text. An address without stars has the name
    as it is written, stars and all."""

    address: str
    name: str

    @property
    def problem(self) -> str:
        """Why the two do not go together; empty where they do."""
        ours, theirs = (len(_STARS.findall(p)) for p in (self.address, self.name))
        if ours and ours != theirs:
            return f"`{self.address}` has {ours} stars and `{self.name}` has {theirs}"
        if ours > MOST_STARS:
            return f"`{self.address}` has more than {MOST_STARS} stars"
        return ""

    def name_of(self, address: str) -> str | None:
        """The name that an address has by this pair; None where it is about others."""
        found = _expression(self.address).fullmatch(address)
        if found is None:
            return None
        texts = iter(found.groups())
        if not found.groups():
            return self.name
        return _STARS.sub(lambda _: next(texts), self.name)


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    parts, place = [], 0
    for star in _STARS.finditer(pattern):
        parts.append(re.escape(pattern[place : star.start()]))
        parts.append("(.*)" if star[0] == "**" else "([^.]*)")
        place = star.end()
    return re.compile("".join([*parts, re.escape(pattern[place:])]), re.DOTALL)
