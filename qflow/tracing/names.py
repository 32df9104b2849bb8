"""names: addresses of generated children: `owner._generated_<word>_<k>`, `k` counting from 0."""

from __future__ import annotations

from collections import Counter

from torch import fx

from qflow.tracing.blocks import Placed, Site, placed
from qflow.tracing.call import OWNER


class Names:
    """Counts the calls of every owner and word, in execution order.

    In a dynamic block a call-site that runs again keeps its address.
    """

    def __init__(self) -> None:
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._sites: dict[tuple[str, str, str, Site], str] = {}

    def address(self, node: fx.Node, word: str) -> str:
        """The address of the next call of `word` by the node's owner."""
        owner = str(node.meta.get(OWNER, ""))
        place = placed(node)
        if place is None:
            return self.next(owner, word)
        scope = _scope(owner, place)
        key = (place.block, scope, word, place.site)
        if key not in self._sites:
            self._sites[key] = self.next(scope, word)
        return self._sites[key]

    def next(self, owner: str, word: str) -> str:
        name = f"_generated_{word}_{self._numbers[owner, word]}"
        self._numbers[owner, word] += 1
        return f"{owner}.{name}" if owner else name


def _scope(owner: str, place: Placed) -> str:
    """What runs in the block itself has the block's address in front of its own."""
    return place.block if owner == place.owner else owner
