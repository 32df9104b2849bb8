"""unit: what the passes hand on. Every pass takes one and returns a changed copy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property

from qflow.diagnostics import Diagnostic, Span
from qflow.lang import syntax
from qflow.lang.program import Program
from qflow.lang.sources import DISK, Sources
from qflow.march import March
from qflow.plan.inventory import Inventory
from qflow.plan.plan import (
    ClaimPlan,
    DataSpec,
    Decided,
    ExportPlan,
    Fusion,
    GraphSpec,
    ModelSpec,
    ModulePlan,
    Plan,
    Scalar,
    Setting,
    StagePlan,
    TargetSpec,
)
from qflow.plan.sensitivity import Table
from qflow.records import dataclass
from qflow.tables.name_map import NameMap
from qflow.tables.report import Import

Fields = Mapping[str, Decided]
"""A qconfig: field name such as `act.dtype` to its value and the rule that set it."""


@dataclass(frozen=True)
class StageSpec:
    """A stage as the file has it; its selectors are not resolved."""

    name: str
    data: str
    epochs: int
    settings: tuple[tuple[str, Setting], ...]
    states: tuple[syntax.SetState, ...]
    span: Span
    freezes: tuple[syntax.Freeze, ...] = ()


@dataclass(frozen=True)
class SensitivitySpec:
    """A `sensitivity` block."""

    name: str
    data: str
    """The data block it calibrates on and measures with."""
    metric: str
    """File in `analysis/similarity`."""
    candidate: str
    """The qconfig every module has while it is measured."""
    table: str
    """Relative to the folder of the file."""
    output: str | None
    """The output to rank by; None: the one that suffers most."""
    samples: int | None
    """How many samples are measured; None: all of the data block."""
    at: Span
    fields: tuple[tuple[str, Span], ...] = ()


@dataclass(frozen=True)
class ScalesSpec:
    """What one `scales from` asks for."""

    source: str
    """The table, relative to the folder of the file."""
    format: str
    """File in `tables/formats`; empty: it is seen from the text."""
    names: NameMap | None
    map_file: str
    """The file of a name map, as `source`; empty: `names` are in the program, or there is none."""
    observes: bool
    """A tensor the table lacks keeps its observer."""
    takes_first: bool
    """Of several entries with one name the first is meant."""
    at: Span
    """The rule."""
    source_at: Span
    map_at: Span


@dataclass(frozen=True)
class Matched:
    """A rule and the addresses its selector covers."""

    rule: syntax.DefaultRule | syntax.MatchRule
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Unit:
    program: Program
    settings: Mapping[str, str]
    inventory: Inventory | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    halted: bool = False
    """A pass found that no later pass can say anything of use."""
    sources: Sources = DISK
    """Where input files are read from."""

    # What the file says; needs no inventory.
    params: tuple[tuple[str, Scalar], ...] = ()
    model: ModelSpec | None = None
    target: TargetSpec | None = None
    march: March | None = None
    data: tuple[DataSpec, ...] = ()
    graph: GraphSpec = field(default_factory=GraphSpec)
    fuses: tuple[syntax.Fuse, ...] = ()
    qconfigs: Mapping[str, Fields] = field(default_factory=dict)
    """Every qconfig of the file and every built-in one, resolved; one that is wrong is missing."""
    stages: tuple[StageSpec, ...] = ()
    skipped: tuple[str, ...] = ()
    claims: tuple[ClaimPlan, ...] = ()
    exports: tuple[ExportPlan, ...] = ()
    sensitivities: tuple[SensitivitySpec, ...] = ()
    scales: Mapping[Span, ScalesSpec] = field(default_factory=dict)
    """Per rule that takes scales from a table; one that is wrong is missing."""

    # What the rules make of the model.
    region: tuple[str, ...] = ()
    """Addresses that are planned, in execution order: between the quant and dequant stubs, both
    included, and what runs on floats around them."""
    outside: frozenset[str] = frozenset()
    """Of these the ones before and behind the stubs: they run on floats."""
    tables: Mapping[str, Table | None] = field(default_factory=dict)
    """Sensitivity block to its table; None where it is not measured yet, missing where damaged."""
    budgets: frozenset[Span] = frozenset()
    """Spans of the statements whose selector covers a number of modules, not named ones."""
    matched: tuple[Matched, ...] = ()
    decisions: Mapping[str, Fields] = field(default_factory=dict)
    """Per address of the region what the rules decided; one whose rules are wrong is missing."""
    floats: Mapping[str, Decided] = field(default_factory=dict)
    """Addresses that stay float, each with what left it so: its dtype is `float32`."""
    fusions: tuple[Fusion, ...] = ()
    running: Mapping[str, Fields] = field(default_factory=dict)
    """Decisions per address that runs: a fusion has its last member's output, its gemm's weight."""
    groups: tuple[tuple[str, ...], ...] = ()
    """Scale groups, owner first; a fused module under the address of its fusion."""
    kept: Mapping[str, Decided] = field(default_factory=dict)
    """Addresses whose output is the int32 accumulator, or whole numbers: no grid, and what decided
    it."""
    dtypes: Mapping[str, Decided] = field(default_factory=dict)
    """Per running address the dtype of its grid, after groups and what the march lowers."""
    entering: Mapping[str, Mapping[int, Decided]] = field(default_factory=dict)
    """Per running address the operands that come as floats, each with the dtype of the grid it is
    brought to there."""
    imports: tuple[Import, ...] = ()
    """What came of every table that scales are taken from."""
    modules: tuple[ModulePlan, ...] = ()
    stage_plans: tuple[StagePlan, ...] = ()
    plan: Plan | None = None

    def having(self, found: Iterable[Diagnostic]) -> "Unit":
        """With these findings added."""
        return replace(self, diagnostics=(*self.diagnostics, *found))

    @cached_property
    def lives_at(self) -> dict[str, str]:
        """Per member of a fusion the address where it runs."""
        return {member: f.at for f in self.fusions for member in f.members}

    @cached_property
    def members_at(self) -> dict[str, tuple[str, ...]]:
        """Per address of a fusion its members in pattern order."""
        return {f.at: f.members for f in self.fusions}

    @cached_property
    def rules_of(self) -> Mapping[str, Sequence[int]]:
        """Per address the places in `matched` of the rules that cover it, ascending."""
        found: dict[str, list[int]] = {}
        for place, matched in enumerate(self.matched):
            for address in matched.addresses:
                found.setdefault(address, []).append(place)
        return found

    def reads(self, address: str) -> tuple[str, ...]:
        """Running addresses that a running address reads, in operand order, without its members."""
        assert self.inventory is not None
        members = self.members_at.get(address, (address,))
        sources = [s for m in members for s in self.inventory.sources[m] if s not in members]
        return tuple(self.lives_at.get(s, s) for s in sources)

    def op_at(self, address: str) -> str:
        """The operator that runs at an address: for a fusion that of its gemm."""
        assert self.inventory is not None
        first = self.members_at.get(address, (address,))[0]
        return self.inventory.by_address[first].op

    def rules_at(self, *addresses: str) -> tuple[Span, ...]:
        """Every rule that matched one of these addresses, in order."""
        places = {place for a in addresses for place in self.rules_of.get(a, ())}
        return tuple(self.matched[place].rule.span for place in sorted(places))
