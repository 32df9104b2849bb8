"""fusion: conv or linear with the batch norm, residual add and activation behind it."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from qflow.plan.inventory import Inventory, Module
from qflow.plan.plan import Fusion
from qflow.plan.unfused import Lookalike, Unfused, find_unfused

Pattern = tuple[str, ...]

WORDS: Mapping[str, str] = {
    "conv1d": "conv",
    "conv2d": "conv",
    "conv3d": "conv",
    "conv_transpose2d": "conv",
    "linear": "linear",
    "batch_norm": "bn",
    "add": "add",
    "relu": "relu",
    "relu6": "relu6",
}
"""Operator to its word in a pattern; the compiler passes what the operator files say instead."""

GEMMS = ("conv", "linear")
ACTIVATIONS = ("relu", "relu6")

PATTERNS: tuple[Pattern, ...] = tuple(
    tuple(word for word in (gemm, bn, add, activation) if word)
    for gemm in GEMMS
    for bn in ("", "bn")
    for add in ("", "add")
    for activation in ("", *ACTIVATIONS)
    if bn or add or activation
)
"""What the field fuses: every order-preserving choice behind a conv or linear."""


def find(
    inventory: Inventory,
    march_fuse_add: Collection[str],
    act_dtype: Callable[[str], str],
    patterns: Collection[Pattern] = PATTERNS,
    word: Callable[[str], str] = lambda op: WORDS.get(op, ""),
    apart: Collection[str] = frozenset(),
) -> tuple[Fusion, ...]:
    """The fusions of a model, longest first at each gemm, in execution order of where they live.

    An add joins when `act_dtype(add's address)` is in `march_fuse_add`; if both operands could be
    the gemm, operand 0 is, as in the field. A member that is called more than once, or whose output
    anything else reads, ends the pattern before it. `word` gives an operator's word in a pattern.
    What is `apart`, as what stays float is, is in no fusion.
    """
    search = _Search(inventory, word, apart)
    known = frozenset(patterns)
    gemms = [m for m in inventory.modules if word(m.op) in GEMMS and m.calls == 1]
    gemms = [m for m in gemms if m.address not in apart] if apart else gemms
    heads = {m.address: search.normalized(m) for m in gemms}
    by_tail = {chain[-1].address: m.address for m in gemms for chain in [heads[m.address]]}
    found = []
    for gemm in gemms:
        chain = heads[gemm.address]
        add = search.only_reader(chain[-1], ("add",))
        if add and act_dtype(add.address) in march_fuse_add:
            chain = search.joined(chain, add, by_tail)
        chain = search.activated(chain)
        if fusion := search.longest(chain, known):
            found.append(fusion)
    position = {m.address: i for i, m in enumerate(inventory.modules)}
    return tuple(sorted(found, key=lambda f: position[f.at]))


def unfused(
    inventory: Inventory,
    fusions: Collection[Fusion],
    march_fuse_add: Collection[str],
    act_dtype: Callable[[str], str],
    *,
    word: Callable[[str], str] = lambda op: WORDS.get(op, ""),
    lookalikes: Mapping[str, Lookalike] = MappingProxyType({}),
) -> tuple[Unfused, ...]:
    """Neighbours of a pattern that `find` left apart, with the reason, in execution order.

    `act_dtype` and `march_fuse_add` are as for `find`. `lookalikes` are modules of the user's own
    classes (`tracing.lookalikes`): a subclass of BatchNorm2d is no batch norm to us. A convolution
    that is the residual of another's fusion is where it belongs and is not listed.
    """
    return find_unfused(inventory, fusions, march_fuse_add, act_dtype, word, lookalikes)


class _Search:
    """Steps of the search on one inventory; holds nothing that changes."""

    def __init__(
        self, inventory: Inventory, word: Callable[[str], str], apart: Collection[str]
    ) -> None:
        self._inventory = inventory
        self._word = word
        self._apart = apart

    def only_reader(self, module: Module, words: Collection[str]) -> Module | None:
        """The module that reads this one, if it is alone, reads it once, and has such a word."""
        users = self._inventory.users[module.address]
        if len(users) != 1 or users[0] in self._apart:
            return None
        user = self._inventory.by_address[users[0]]
        # a sum with a number, or of two shapes, is no part of an integer accumulator
        if user.calls != 1 or user.float_only or self._word(user.op) not in words:
            return None
        # a block that ran once on the example may run twice
        if user.scope != module.scope:
            return None
        reads = self._inventory.sources[user.address]
        return user if reads.count(module.address) == 1 else None

    def normalized(self, gemm: Module) -> tuple[Module, ...]:
        # behind a linear of rank 3 a batch norm normalizes axis 1, which is not that of the weights
        if self._word(gemm.op) == "linear" and len(gemm.shape) > 2:
            return (gemm,)
        bn = self.only_reader(gemm, ("bn",))
        return (gemm, bn) if bn else (gemm,)

    def joined(
        self, chain: tuple[Module, ...], add: Module, by_tail: Mapping[str, str]
    ) -> tuple[Module, ...]:
        """The chain with its add, unless the add belongs to the gemm of operand 0."""
        operands = self._inventory.sources[add.address]
        if len(operands) != 2:
            return chain
        first = next(o for o in operands if o in by_tail and self._feeds_only(o, add))
        return (*chain, add) if first == chain[-1].address else chain

    def _feeds_only(self, address: str, add: Module) -> bool:
        return self.only_reader(self._inventory.by_address[address], ("add",)) == add

    def activated(self, chain: tuple[Module, ...]) -> tuple[Module, ...]:
        activation = self.only_reader(chain[-1], ACTIVATIONS)
        return (*chain, activation) if activation else chain

    def longest(self, chain: tuple[Module, ...], patterns: Collection[Pattern]) -> Fusion | None:
        """The longest beginning of the chain that is a pattern."""
        words = tuple(self._word(m.op) for m in chain)
        for length in range(len(chain), 1, -1):
            if words[:length] in patterns:
                return self._fusion(chain[:length], words[:length])
        return None

    def _fusion(self, chain: tuple[Module, ...], words: Pattern) -> Fusion:
        members = tuple(m.address for m in chain)
        if "add" not in words:
            return Fusion(members[0], words, members)
        place = words.index("add")
        operands = self._inventory.sources[members[place]]
        residual = 1 - operands.index(members[place - 1])
        return Fusion(members[place], words, members, residual)
