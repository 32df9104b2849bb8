"""Inventory: what the model is, as far as rules and marches can see it; kept in the lock."""

from functools import cached_property

from qflow.plan.index import Index
from qflow.records import dataclass


@dataclass(frozen=True, order=True)
class Module:
    """One address: a module of the model, or the generated child of a functional call."""

    address: str
    type: str
    """Class name, for `type` selectors: `Conv2d`; the op for a generated child: `add`."""
    op: str
    """Name of the operator file in `emulation/ops`, `input`, `output`, or `unknown`."""
    shape: tuple[int, ...] = ()
    """Output shape on the declared input, batch included; of the first output if it has several."""
    calls: int = 1
    """How often `forward` runs it; above 1 it is shared and has one scale."""
    detail: str = ""
    """Facts a reviewer reads: `3->32 k3 s2`."""
    weights: int = 0
    """Number of weight elements."""
    macs: int = 0
    """Multiply-accumulates of one sample."""
    float_only: str = ""
    """Why it has no integer form as it is called, though its operator has one; empty: it has."""
    scope: str = ""
    """Address of the dynamic block, or of the wrapped call, it runs in; only modules of one scope
    are fused."""


@dataclass(frozen=True, order=True)
class Edge:
    """`target` reads `source` as its tensor operand number `slot` (0 first)."""

    source: str
    target: str
    slot: int


@dataclass(frozen=True)
class Inventory:
    """Modules in execution order; `inputs` and `outputs` are modules with op `input` and `output`.

    An input's address is its declared name. An output's address is `output.<name>`.
    """

    model: str
    """The entry point it was traced from."""
    modules: tuple[Module, ...]
    edges: tuple[Edge, ...]
    """In execution order of their targets, then by operand; any order may be given."""

    def __post_init__(self) -> None:
        position = {m.address: i for i, m in enumerate(self.modules)}
        edges = sorted(self.edges, key=lambda e: (position[e.target], e.slot, position[e.source]))
        object.__setattr__(self, "edges", tuple(edges))

    @cached_property
    def by_address(self) -> dict[str, Module]:
        return {m.address: m for m in self.modules}

    @cached_property
    def inner(self) -> tuple[Module, ...]:
        """The modules that rules speak of: inputs and outputs are none of them."""
        return tuple(m for m in self.modules if m.op not in ("input", "output"))

    @cached_property
    def index(self) -> Index:
        """Of the addresses of `inner`, by the same positions."""
        return Index(m.address for m in self.inner)

    @cached_property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """Per address the addresses it reads, in operand order."""
        found: dict[str, list[str]] = {m.address: [] for m in self.modules}
        for edge in self.edges:
            found[edge.target].append(edge.source)
        return {address: tuple(read) for address, read in found.items()}

    @cached_property
    def users(self) -> dict[str, tuple[str, ...]]:
        """Per address the addresses that read it, in execution order, without repeats."""
        # a dictionary keeps the order of the edges, and each target once
        found: dict[str, dict[str, None]] = {m.address: {} for m in self.modules}
        for edge in self.edges:
            found[edge.source][edge.target] = None
        return {address: tuple(readers) for address, readers in found.items()}
