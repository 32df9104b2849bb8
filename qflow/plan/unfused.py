"""unfused: what looks like a fusion and is none, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from qflow.plan.inventory import Inventory, Module
from qflow.plan.plan import Fusion
from qflow.records import dataclass

_GEMMS = ("conv", "linear")
_PLACE = {"conv": 0, "linear": 0, "bn": 1, "add": 2, "relu": 3, "relu6": 3}
"""Where a word stands in a pattern."""


@dataclass(frozen=True)
class Unfused:
    """Modules that look like a pattern and were not fused."""

    members: tuple[str, ...]
    why: str
    """Shared, several users, a subclass, a fusion the march lacks at this dtype."""


@dataclass(frozen=True)
class Lookalike:
    """A module of the user's that would have a word in a pattern if it were one of torch's."""

    word: str
    why: str
    """`FrozenBN is a subclass of BatchNorm2d`."""


def find_unfused(
    inventory: Inventory,
    fusions: Collection[Fusion],
    march_fuse_add: Collection[str],
    act_dtype: Callable[[str], str],
    word: Callable[[str], str],
    lookalikes: Mapping[str, Lookalike],
) -> tuple[Unfused, ...]:
    """See `fusion.unfused`."""
    search = _Search(inventory, fusions, march_fuse_add, act_dtype, word, lookalikes)
    groups: list[list[str]] = []
    whys: list[str] = []
    group_of: dict[str, int] = {}
    for module in inventory.modules:
        for source in dict.fromkeys(inventory.sources[module.address]):
            why = search.why(inventory.by_address[source], module)
            if why is None:
                continue
            if source in group_of:
                # what follows something that is not fused has no reason of its own
                group_of[module.address] = group_of[source]
                if module.address not in groups[group_of[source]]:
                    groups[group_of[source]].append(module.address)
                continue
            group_of[module.address] = len(groups)
            groups.append([source, module.address])
            whys.append(why)
    return tuple(Unfused(tuple(g), why) for g, why in zip(groups, whys, strict=True))


class _Search:
    def __init__(
        self,
        inventory: Inventory,
        fusions: Collection[Fusion],
        march_fuse_add: Collection[str],
        act_dtype: Callable[[str], str],
        word: Callable[[str], str],
        lookalikes: Mapping[str, Lookalike],
    ) -> None:
        self._inventory = inventory
        self._lives = {m: f.at for f in fusions for m in f.members}
        self._fuse_add = march_fuse_add
        self._act_dtype = act_dtype
        self._word_of_op = word
        self._lookalikes = lookalikes

    def why(self, source: Module, module: Module) -> str | None:
        """Why two neighbours of a pattern are not in one fusion; None where that is as it is."""
        before, after = self._word(source), self._word(module)
        if before not in _PLACE or after in (*_GEMMS, "") or not self._rooted(source):
            return None
        if _PLACE[before] >= _PLACE[after]:
            return None
        at = self._lives.get(module.address)
        if at is not None and (at == self._lives.get(source.address) or after == "add"):
            return None
        return self._reason(source, module, after)

    def _reason(self, source: Module, module: Module, after: str) -> str | None:
        for strange in (source, module):
            if strange.address in self._lookalikes:
                return self._lookalikes[strange.address].why
        for shared in (source, module):
            if shared.calls > 1:
                return f"`{shared.address}` is shared: it runs {shared.calls} times"
        if after == "add" and len(self._inventory.sources[module.address]) != 2:
            return None  # it adds a number
        if self._inventory.sources[module.address].count(source.address) > 1:
            return f"`{module.address}` reads `{source.address}` twice"
        users = self._inventory.users[source.address]
        if len(users) > 1:
            named = ", ".join(f"`{u}`" for u in users)
            return f"`{source.address}` has several readers: {named}"
        if module.float_only:
            return f"`{module.address}` has no integer form: {module.float_only}"
        if module.scope != source.scope:
            return "one of them runs in a dynamic block, which may run another number of times"
        if after == "bn" and self._word(source) == "linear" and len(source.shape) > 2:
            return f"behind a linear of rank {len(source.shape)} it normalizes another axis"
        if after == "add" and (dtype := self._act_dtype(module.address)) not in self._fuse_add:
            fuses = " or ".join(self._fuse_add) or "none"
            return f"the march fuses an add at {fuses}, and this one is {dtype}"
        return "the pattern is none of those that are fused"

    def _rooted(self, module: Module) -> bool:
        """Whether a convolution or linear begins what ends here."""
        word = self._word(module)
        if word in _GEMMS:
            return True
        if word not in ("bn", "add"):
            return False
        sources = [self._inventory.by_address[a] for a in self._inventory.sources[module.address]]
        return any(_PLACE.get(self._word(s), 9) < _PLACE[word] and self._rooted(s) for s in sources)

    def _word(self, module: Module) -> str:
        known = self._lookalikes.get(module.address)
        return known.word if known else self._word_of_op(module.op)
