"""closure: with an address all that cannot have another dtype: its fusion, its scale group."""

from collections.abc import Iterable

from qflow.compile.region import DEQUANT
from qflow.compile.unit import Unit
from qflow.plan import fusion, op_facts, sharing


def of(unit: Unit, addresses: Iterable[str]) -> tuple[str, ...]:
    """The addresses, unfused, with all they run as one with and share a grid with.

    In execution order. Rules are decided before fusion; that of the widest kind is assumed, in
    which an add always joins its convolution.
    """
    assert unit.inventory is not None
    region = set(unit.region)
    fusions = [
        f
        for f in fusion.find(
            unit.inventory, ("int8",), lambda _: "int8", fusion.PATTERNS, word=op_facts.pattern_word
        )
        if region.issuperset(f.members)
    ]
    lives = {member: f.at for f in fusions for member in f.members}
    members = {f.at: f.members for f in fusions}
    groups = {
        a: group
        for group in sharing.groups(unit.inventory, fusions, op_facts.shares_scale)
        for a in group
    }
    found: set[str] = set()
    for address in addresses:
        at = lives.get(address, address)
        for running in groups.get(at, (at,)):
            found.update(members.get(running, (running,)))
    modules = unit.inventory.by_address
    return tuple(a for a in modules if a in found & region and modules[a].op != DEQUANT)
