"""Plan: every decision, fully written out. The only thing of the front half that the engine reads.

It holds no host, absolute path, time or dictionary order: the same file and lock give the same plan
anywhere.
"""

from dataclasses import field
from typing import Literal, TypeAlias

from qflow.diagnostics import Span
from qflow.plan.colour import ColourPlan
from qflow.plan.sources import TOLERANCE, Draw, Preprocess
from qflow.records import dataclass

FORMAT_VERSION = "2.1"
"""Of the JSON form. Minor: fields were added, and a reader that ignores what it does not know still
reads it right. Major: a reader of the old form would misread it, and has to refuse."""

Scalar: TypeAlias = str | int | float | bool
Data: TypeAlias = "Scalar | tuple[Data, ...] | tuple[tuple[str, Data], ...] | None"


@dataclass(frozen=True)
class Decided:
    """A value and the rule that set it."""

    value: Scalar
    by: Span | None = None
    """None where no line of the file decided: then `why` says who did."""
    why: str = ""
    """`nash-m: tail`, `qconfig w8a8`."""


@dataclass(frozen=True)
class Observed:
    """The scale comes from an observer."""

    observer: Decided
    settings: tuple[tuple[str, Decided], ...] = ()
    """Every field of the observer, sorted by name: a changed default shows as a difference."""


@dataclass(frozen=True)
class Fixed:
    """The scale is given."""

    scale: Decided
    origin: Decided | None = None
    """The table it was taken from and its name there; None where the file has the number."""
    unsigned: Decided | None = None
    """True: no value is below 0, so that a target with unsigned grids takes one."""


@dataclass(frozen=True)
class Shared:
    """The scale is that of another address: reshape, max pool, relu of a scale group."""

    owner: str
    why: str


Source: TypeAlias = Observed | Fixed | Shared


@dataclass(frozen=True)
class TensorPlan:
    """How one tensor gets its grid. Symmetric grids: the zero point is 0."""

    dtype: Decided
    """`int8` or `int16`."""
    scheme: Decided
    """`per_tensor` or `per_channel`."""
    axis: int | None
    """Channel axis when per channel."""
    source: Source
    learned: Decided | None = None
    """`lsq` or `pact`: the scale is a parameter that training moves. None: it is observed."""
    fix_scale: Decided | None = None
    """True: training keeps the scale that calibration found. A given scale is `Fixed` instead."""


@dataclass(frozen=True)
class ModulePlan:
    """What happens at one address. A fused address carries the decision of the whole fusion."""

    address: str
    type: str
    op: str
    act: TensorPlan | None
    """Grid of the output. None: not quantized here (float, absorbed, or accumulator kept)."""
    weight: TensorPlan | None
    out: Decided | None
    """dtype of the output: act's dtype, or `int32` where the accumulator is kept, or `float32`."""
    absorbed_by: str | None = None
    """Address of the fusion this module disappears into."""
    rules: tuple[Span, ...] = ()
    """Every rule that matched, in order; the last one decided."""
    inputs: tuple[TensorPlan | None, ...] = ()
    """Grid each tensor operand is brought to before the operator reads it; None, or missing at the
    end: the grid it comes on."""
    reads: tuple[str, ...] = ()
    """Addresses that run and whose output it reads, in operand order; of a fusion those from
    outside. Empty where it is absorbed."""
    weights: int = 0
    """Weight elements of the module itself, without those it absorbs."""
    macs: int = 0
    """Multiply-accumulates of one sample, without those it absorbs."""

    @property
    def output_dtype(self) -> str:
        """What leaves: `out` where that is decided, else the grid's dtype, else `float32`."""
        if self.out is not None:
            return str(self.out.value)
        return "float32" if self.act is None else str(self.act.dtype.value)


@dataclass(frozen=True)
class Fusion:
    """Modules that run as one. `at` is the gemm's address, or the add's when there is an add."""

    at: str
    pattern: tuple[str, ...]
    """Words of the pattern: conv, linear, bn, add, relu, relu6."""
    members: tuple[str, ...]
    """Addresses in pattern order."""
    residual: int | None = None
    """For an add: which of its operands (0 or 1) is the residual, not the gemm."""


@dataclass(frozen=True)
class Setting:
    """A field of a stage, and where it was written."""

    value: Scalar | tuple[Scalar, ...]
    by: Span | None = None
    why: str = ""


StateName: TypeAlias = Literal["float", "calibration", "qat", "validation"]
FrozenPart: TypeAlias = Literal["bn", "scale", "weight"]


@dataclass(frozen=True)
class StateFrom:
    """The state an address changes to at the beginning of an epoch; epochs count from 0."""

    address: str
    epoch: int
    state: StateName
    by: Span | None = None


@dataclass(frozen=True)
class Freezing:
    """A part of an address that stays as it is from the beginning of an epoch on."""

    address: str
    part: FrozenPart
    """`bn`: statistics of a batch norm; `scale`: every grid there; `weight`: every parameter."""
    epoch: int
    by: Span | None = None


@dataclass(frozen=True)
class StagePlan:
    name: str
    data: str
    epochs: int
    """0: one pass without training, or a `method`."""
    states: tuple[tuple[str, StateName], ...]
    """Per fake-quantized address, sorted; of a stage that trains: in its first epoch."""
    settings: tuple[tuple[str, Setting], ...] = ()
    """How it trains: optimizer, lr, loss, ...; or its `method` with its fields."""
    at: Span | None = None
    later: tuple[StateFrom, ...] = ()
    """States that change in a later epoch, by epoch and address."""
    freezes: tuple[Freezing, ...] = ()
    """By part, epoch and address."""
    rules: tuple[tuple[str, Span], ...] = ()
    """Per address of `states` the statement that set it; none for an address left `float`."""

    @property
    def evaluates(self) -> bool:
        """It neither trains nor observes: the model leaves it as it came."""
        changes = self.epochs > 0 or self.setting("method") is not None
        return not changes and all(s in ("validation", "float") for _, s in self.states)

    @property
    def validates(self) -> str | None:
        """The data block its epochs are judged on; None where there is none."""
        name = self.setting("validate")
        return None if name is None else str(name)

    def setting(self, name: str) -> Scalar | tuple[Scalar, ...] | None:
        """The value of a setting; None where there is none."""
        return next((s.value for n, s in self.settings if n == name), None)

    def states_at(self, epoch: int) -> dict[str, StateName]:
        """Per address the state in one epoch."""
        found = dict(self.states)
        found.update((s.address, s.state) for s in self.later if s.epoch <= epoch)
        return found

    def frozen_at(self, part: FrozenPart, epoch: int) -> tuple[str, ...]:
        """Addresses of which a part is frozen in one epoch, sorted."""
        return tuple(f.address for f in self.freezes if f.part == part and f.epoch <= epoch)


@dataclass(frozen=True)
class PortPlan:
    """A declared input or output: name, dtype, dims (a str dim is free)."""

    name: str
    dtype: str
    dims: tuple[int | str, ...]


@dataclass(frozen=True)
class ModelSpec:
    name: str
    entry: str
    args: tuple[tuple[str, Data], ...]
    checkpoint: str | None
    """Relative to the file's folder, forward slashes."""
    inputs: tuple[PortPlan, ...]
    outputs: tuple[PortPlan, ...]
    at: Span | None = None
    fields: tuple[tuple[str, Span], ...] = ()
    """Where each field was written, so that the engine can point at it."""
    trace: str = "symbolic"
    """How it is traced: `symbolic`, or `example`: its forward runs and is followed."""
    file: str = ""
    """The model file, relative to the file's folder; then `entry` is empty."""
    draws: tuple[Draw, ...] = ()
    """What example inputs hold, where the block says."""
    seed: int = 0
    """Of example inputs."""
    tolerance: float = TOLERANCE
    """How far the model may be from its file, relative to the largest output."""

    @property
    def source(self) -> str:
        """What the model comes from: its entry point, or its file."""
        return self.file or self.entry


@dataclass(frozen=True)
class TargetSpec:
    name: str
    march: str
    profile: str
    unlisted: Literal["error", "float"]
    at: Span | None = None
    colour: tuple[ColourPlan, ...] = ()
    """Inputs of the finished model that take a camera's colours."""
    fields: tuple[tuple[str, Span], ...] = ()


@dataclass(frozen=True)
class DataSpec:
    name: str
    loader: str
    args: tuple[tuple[str, Data], ...]
    samples: int | None
    batch: int
    seed: int
    metric: str | None
    at: Span | None = None
    fields: tuple[tuple[str, Span], ...] = ()
    source: str = ""
    """The file or folder the samples lie in, relative to the file's folder; then `loader` is
    empty."""
    keys: tuple[tuple[str, str], ...] = ()
    """Names that inputs have in the source, where they are others; `target` is that of targets."""
    preprocess: Preprocess | None = None
    """How images become inputs."""

    @property
    def origin(self) -> str:
        """What the samples come from: the loader, or the file or folder."""
        return self.source or self.loader


@dataclass(frozen=True)
class Leaf:
    """A `leaf` that is more than addresses and types: `leaf type Block in "neck.**" except "a"`.

    Each part is a type name, empty for any, and a pattern of addresses, `**` for any.
    """

    parts: tuple[tuple[str, str], ...]
    excluded: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class GraphSpec:
    wraps: tuple[tuple[str, Span], ...] = ()
    """Entry points `module:function` kept as one call."""
    leaves: tuple[str, ...] = ()
    """Addresses or type names the tracer does not enter, see `leaf_types`."""
    leaf_types: tuple[str, ...] = ()
    leaf_parts: tuple[Leaf, ...] = ()
    """Leaves that only a type and an address together name, or that leave some out."""


@dataclass(frozen=True)
class Measured:
    """What the right side of a claim measures: `accuracy(float)`."""

    measure: str
    """File in `analysis/measures`."""
    args: tuple[str, ...]


@dataclass(frozen=True)
class ClaimPlan:
    """A claim about the finished model, with names resolved."""

    severity: Literal["assert", "warn"]
    text: str
    """As written, in canonical form."""
    measure: str
    """File in `analysis/measures`, `dtype` for `is`, or `scale` for `no scale == x`."""
    args: tuple[str, ...]
    operator: str
    value: Scalar
    negated: bool
    data: str | None
    at: Span
    proved: bool | None = None
    """True or False when the plan alone decides it; None: it must be measured."""
    against: Measured | None = None
    """What the measure is compared with; `value` is how it is written then. None: with `value`."""
    per_address: bool = False
    """The first of `args` is a pattern, and `measure` a file in `analysis/similarity`."""
    addresses: tuple[str, ...] = ()
    """What that pattern covers, in execution order: the claim must hold for each of them."""


@dataclass(frozen=True)
class ExportPlan:
    target: str
    """File in `export/`."""
    path: str
    """Relative to the run's `export/` folder."""
    settings: tuple[tuple[str, Data], ...]
    at: Span | None = None


@dataclass(frozen=True)
class Plan:
    path: str
    """The .qf file's name without its folder."""
    edition: int
    params: tuple[tuple[str, Scalar], ...]
    model: ModelSpec
    target: TargetSpec
    data: tuple[DataSpec, ...]
    graph: GraphSpec
    modules: tuple[ModulePlan, ...]
    """In execution order."""
    fusions: tuple[Fusion, ...]
    stages: tuple[StagePlan, ...]
    claims: tuple[ClaimPlan, ...]
    exports: tuple[ExportPlan, ...]
    hashes: tuple[tuple[str, str], ...]
    """Stage name to sha256 over exactly what that stage reads of the plan; spans are left out.

    Stages in order: trace, prepare, every stage of the schedule, convert, export, verify.
    """
    format_version: str = FORMAT_VERSION
    skipped: tuple[str, ...] = ()
    """Stages of the file written with `epochs 0`: not in `stages`, nothing of them runs."""
    files: tuple[str, ...] = ()
    """The plan's own file, then what it imports: relative to the folder of the file, forward
    slashes. A span of the JSON form is an index into it, and a range."""
    folder: str = field(default="", compare=False)
    """The folder of the file as the user named it: `folder/file` is the path in spans. In no text
    of a plan; empty: the folder the program runs in."""

    def __post_init__(self) -> None:
        if not self.files:
            object.__setattr__(self, "files", (self.path,))
