"""scene: what a setter sees of a model: the addresses that run, what they read, what fuses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from torch import nn

from qflow.march import March
from qflow.plan import fusion, op_facts, sharing
from qflow.plan.inventory import Inventory
from qflow.plan.plan import Fusion


@dataclass(frozen=True)
class Scene:
    """A traced model under one choice of fusions. A unit is what runs as one: a module or a fusion.

    A unit has the address of its fusion. Everything is pure data but `model`, which is only read.
    """

    inventory: Inventory
    march: March
    inside: frozenset[str]
    """Addresses between the stubs, absorbed ones too, without the dequantizes."""
    fusions: tuple[Fusion, ...]
    model: nn.Module = field(compare=False)
    """The model as the user gave it: for types and the scales of stubs."""
    whole_numbers: frozenset[str] = frozenset()
    """Addresses whose output holds no floats: masks, indices."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Units that would run fused but for the dtype asked of the fusion, and its address."""

    @cached_property
    def at(self) -> Mapping[str, Fusion]:
        """Fusion by the address where it runs."""
        return {f.at: f for f in self.fusions}

    @cached_property
    def unit(self) -> Mapping[str, str]:
        """Address to the unit it belongs to."""
        own = {m.address: m.address for m in self.inventory.modules}
        return {**own, **{member: f.at for f in self.fusions for member in f.members}}

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Units between the stubs, in execution order."""
        return tuple(
            m.address
            for m in self.inventory.modules
            if m.address in self.inside and self.unit[m.address] == m.address
        )

    def members(self, unit: str) -> tuple[str, ...]:
        """Addresses that run there as one, in pattern order."""
        return self.at[unit].members if unit in self.at else (unit,)

    def gemm(self, unit: str) -> str:
        """The member that holds the weight: the first of a fusion."""
        return self.members(unit)[0]

    def op(self, unit: str) -> str:
        """The operator that runs there: for a fusion that of its gemm."""
        return self.inventory.by_address[self.gemm(unit)].op

    def is_gemm(self, unit: str) -> bool:
        return op_facts.role(self.op(unit)) == "gemm"

    def has_weight(self, unit: str) -> bool:
        """Whether its weight gets a grid."""
        return op_facts.weight_axis(self.op(unit)) is not None

    def listed(self, unit: str) -> bool:
        """Whether the march has the operator; if not it stays float."""
        return self.march.support(self.op(unit)) is not None or self.floats(unit)

    def floats(self, unit: str) -> bool:
        """Whether the march lacks it and it can run on floats, its output quantized."""
        op = self.op(unit)
        return self.march.support(op) is None and op_facts.runs_on_floats(op)

    def reads(self, unit: str) -> tuple[str, ...]:
        """Units it reads, in the order of the operands of the module that runs there."""
        members = self.members(unit)
        sources = [s for m in members for s in self.inventory.sources[m] if s not in members]
        return tuple(self.unit[s] for s in sources)

    def operands(self, unit: str) -> tuple[tuple[str, ...], ...]:
        """Per operand the units that give it: several where the unit runs several times."""
        if len(self.members(unit)) > 1:
            return tuple((source,) for source in self.reads(unit))
        found = self._slots.get(unit, {})
        return tuple(tuple(found.get(slot, ())) for slot in range(max(found, default=-1) + 1))

    @cached_property
    def _slots(self) -> dict[str, dict[int, dict[str, None]]]:
        found: dict[str, dict[int, dict[str, None]]] = {}
        for edge in self.inventory.edges:
            slots = found.setdefault(edge.target, {})
            slots.setdefault(edge.slot, {})[self.unit[edge.source]] = None
        return found

    def users(self, unit: str) -> tuple[str, ...]:
        """Units that read its output, in execution order, without repeats."""
        last = self.members(unit)[-1]
        return tuple(dict.fromkeys(self.unit[u] for u in self.inventory.users[last]))

    def has_grid(self, unit: str) -> bool:
        """Whether its output could lie on a grid."""
        return (
            unit in self.inside
            and self.listed(unit)
            and unit not in self.whole_numbers
            and not op_facts.gives_indices(self.op(unit))
        )

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Units on one grid, the owner first; only those whose output has a grid."""
        found = sharing.groups(self.inventory, self.fusions, op_facts.shares_scale)
        kept = (tuple(u for u in group if self.has_grid(u)) for group in found)
        return tuple(group for group in kept if len(group) > 1)

    @cached_property
    def group(self) -> Mapping[str, tuple[str, ...]]:
        """Per unit the group it is in, alone if in none."""
        alone = {u: (u,) for u in self.units}
        return {**alone, **{u: g for g in self.groups for u in g}}

    def owner(self, unit: str) -> str:
        """The unit whose scale it has: its own address if in no group."""
        return self.group.get(unit, (unit,))[0]

    @cached_property
    def modules(self) -> Mapping[str, nn.Module]:
        """Modules of the user's model by address."""
        return dict(self.model.named_modules(remove_duplicate=False))


def scene_of(
    inventory: Inventory,
    march: March,
    inside: Collection[str],
    model: nn.Module,
    apart: Collection[str] = (),
    whole_numbers: Collection[str] = (),
    verbatim: Collection[str] = (),
    shape_read: Collection[str] = (),
    aliases: Mapping[str, str] = MappingProxyType({}),
) -> Scene:
    """The scene in which everything is fused but the adds in `apart`.

    `verbatim` are modules that run inside a wrapped method: that is kept as it is written, so they
    are quantized and never fused. What stands in `shape_read` must be there to be asked for its
    shape, so it is no inner member of a fusion.
    """
    # the dtype question is answered by `apart`: any word the march has stands for "may join"
    joins = next(iter(march.fuse_add_dtypes), "")
    found = fusion.find(
        inventory,
        march.fuse_add_dtypes,
        lambda address: "" if address in apart else joins,
        word=op_facts.pattern_word,
    )
    held = frozenset(inside)
    fusable = held - frozenset(verbatim)
    kept = tuple(
        f
        for f in found
        if fusable.issuperset(f.members)
        and (f.residual is not None or not set(shape_read) & set(f.members[:-1]))
    )
    return Scene(inventory, march, held, kept, model, frozenset(whole_numbers), aliases)
