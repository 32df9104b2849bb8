"""sharing: which addresses lie on one grid, because what is between them only moves integers."""

from collections.abc import Callable, Collection

from qflow.plan.inventory import Inventory
from qflow.plan.plan import Fusion

SHARING = frozenset(
    {
        *("max_pool2d", "amax", "amin", "topk"),
        *("identity", "flatten", "reshape", "permute", "squeeze", "unsqueeze", "expand", "repeat"),
        *("cat", "stack", "slice", "chunk", "split", "unbind", "roll", "pad"),
        *("channel_shuffle", "pixel_shuffle", "pixel_unshuffle"),
    }
)
"""Operators whose output lies on the grid of their inputs. An unfused relu is none: it rescales."""

JOINS = frozenset({"cat", "stack"})
"""Operators that own the grid of their group: several producers meet there."""


FLOAT = frozenset({"input", "dequant", "argmax"})
"""Operators whose output has no grid: floats, or indices."""


def groups(
    inventory: Inventory,
    fusions: Collection[Fusion],
    shares: Callable[[str], bool] = SHARING.__contains__,
    apart: Collection[str] = frozenset(),
) -> tuple[tuple[str, ...], ...]:
    """Every group of two or more, its owner first, then the others in execution order.

    A fused module is named by the address of its fusion. The owner is the producer; with a cat in
    the group it is the (last) cat, whose inputs take its grid. `shares` tells it of an operator.
    What is `apart`, as what stays float is, is in no group.
    """
    place = {member: f.at for f in fusions for member in f.members}
    parent: dict[str, str] = {}

    def root(address: str) -> str:
        while parent.setdefault(address, address) != address:
            address = parent[address]
        return address

    for edge in inventory.edges:
        if edge.source in apart or edge.target in apart:
            continue
        source = inventory.by_address[edge.source]
        if shares(inventory.by_address[edge.target].op) and source.op not in FLOAT:
            parent[root(edge.target)] = root(place.get(edge.source, edge.source))
    members: dict[str, list[str]] = {}
    for module in inventory.modules:
        if module.address in parent:
            members.setdefault(root(module.address), []).append(module.address)
    return tuple(_owner_first(inventory, group) for group in members.values() if len(group) > 1)


def _owner_first(inventory: Inventory, group: list[str]) -> tuple[str, ...]:
    joins = [a for a in group if inventory.by_address[a].op in JOINS]
    owner = joins[-1] if joins else group[0]
    return (owner, *(a for a in group if a != owner))
