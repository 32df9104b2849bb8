"""Subject: what a rule may know of a prepared model or of a checkpoint; torch-free.

Every field may be None: not known. A rule says nothing when what it needs is not known.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from qflow.diagnostics import Span
from qflow.plan.inventory import Inventory, Module
from qflow.plan.plan import Fusion, ModulePlan
from qflow.records import dataclass

State = Literal["float", "calibration", "qat", "validation"]
INTEGERS = ("int4", "int8", "int16", "int32")


@dataclass(frozen=True)
class ScaleFact:
    """One fake-quantizer of a live model."""

    path: str
    """Where it is: `head.activation_post_process`."""
    address: str
    """Whose tensor it quantizes: `head`."""
    role: Literal["output", "weight", "input"]
    dtype: str
    low: float
    """Smallest of its scales; one per tensor, or one per channel."""
    high: float
    observed: bool
    """Whether the scale is known: observed, given, or loaded with its range."""
    fixed: bool
    """The scale is given."""
    frozen: bool
    """Nothing moves the scale any more, or training keeps what calibration found."""
    learned: bool
    """The scale is a parameter."""
    observer: str
    """File in `quantization/observers`."""
    state: State
    training: bool
    """Its mode: observers run in training mode only."""
    span: tuple[float, float] | None = None
    """Lowest and highest value observed; None before any data."""

    @property
    def ones(self) -> bool:
        """Every scale is exactly 1, as at the start."""
        return self.low == self.high == 1.0


@dataclass(frozen=True)
class ModuleFact:
    """One module of a live model that has parameters, batch statistics or a fake-quantizer."""

    address: str
    training: bool
    trainable: int
    """Parameters of its own that the optimizer may move."""
    parameters: int
    """Parameters of its own."""
    bn: bool
    """It keeps batch statistics that move in training mode."""
    states: tuple[State, ...] = ()
    """Of its own fake-quantizers."""


@dataclass(frozen=True)
class ConstantFact:
    """A tensor or number of the model that an operator reads as an operand."""

    address: str
    """The operator's."""
    name: str
    """State-dict name of the tensor, or how it is written."""
    largest: float
    """Largest magnitude; infinite for a mask of minus infinity."""


@dataclass(frozen=True)
class CheckpointFact:
    """How the keys of a checkpoint fit a model."""

    missing: tuple[str, ...]
    """Keys of the model that the checkpoint does not have."""
    unexpected: tuple[str, ...]
    """Keys of the checkpoint that the model does not have."""
    versions: tuple[tuple[str, int], ...] = ()
    """Version each fake-quantizer was written with, where the checkpoint says."""
    switches: tuple[str, ...] = ()
    """Keys that would restore states: `fake_quant_enabled`, `observer_enabled`."""
    causes: tuple[tuple[str, str], ...] = ()
    """Address and likely cause of missing and unexpected keys."""


@dataclass(frozen=True)
class Subject:
    inventory: Inventory | None = None
    """Before fusion."""
    plans: tuple[ModulePlan, ...] | None = None
    """Decisions, in execution order."""
    dtypes: Mapping[str, str] | None = None
    """Per running address the dtype of its output; one that is missing gives out float32."""
    fusions: tuple[Fusion, ...] = ()
    unfused: tuple[tuple[tuple[str, ...], str], ...] | None = None
    """Members and why they were not fused."""
    changes: tuple[tuple[str, str, str, str, str], ...] | None = None
    """Address, field, asked, given, why: fields that are not what was asked for."""
    march: str | None = None
    tail: str | None = None
    """What the march makes of a gemm that only a dequantize reads: `int32` or `quantized`."""
    current_march: str | None = None
    """The march that is set while the model is looked at; None: none is."""
    scales: tuple[ScaleFact, ...] | None = None
    modules: tuple[ModuleFact, ...] | None = None
    constants: tuple[ConstantFact, ...] | None = None
    input_dtypes: Mapping[str, str] | None = None
    """Per model input the dtype of its tensor: `float32`, `int64`, `bool`."""
    whole_numbers: frozenset[str] = frozenset()
    """Addresses known to give out no floats: masks, indices."""
    floats: frozenset[str] = frozenset()
    """Addresses that the file leaves float: what reads them brings them onto a grid."""
    moved: tuple[str, ...] | None = None
    """Addresses whose class, children or hooks changed since the model was prepared."""
    shared_with_float: tuple[str, ...] | None = None
    """Parameters whose memory the prepared model shares with the float model."""
    checkpoint: CheckpointFact | None = None
    at: Span | None = None
    """Where findings point when no line is nearer."""
    said: frozenset[str] = frozenset()
    """Ids that were reported already; a rule that would repeat one of them is not asked."""

    @cached_property
    def plan_of(self) -> dict[str, ModulePlan]:
        """Plans by address; of a fusion at the address where it lives."""
        return {p.address: p for p in self.plans or ()}

    @cached_property
    def lives_at(self) -> dict[str, str]:
        """Per member of a fusion the address where it runs."""
        return {member: f.at for f in self.fusions for member in f.members}

    @cached_property
    def scale_of(self) -> dict[str, ScaleFact]:
        """The output's fake-quantizer per address."""
        return {s.address: s for s in self.scales or () if s.role == "output"}

    def at_run(self, address: str) -> str:
        """Where an address runs after fusion."""
        return self.lives_at.get(address, address)

    def dtype_out(self, address: str) -> str | None:
        """dtype of an address's output; float32 where nothing quantizes it, None: not known."""
        if self.dtypes is None:
            return None
        return self.dtypes.get(self.at_run(address), "float32")

    def quantized(self, address: str) -> bool:
        """Whether an address gives out integers."""
        return self.dtype_out(address) in INTEGERS

    @cached_property
    def region(self) -> tuple[Module, ...]:
        """Behind a quant stub or a constant and before the dequantizes, in execution order, without
        what the file leaves float."""
        if self.inventory is None:
            return ()
        inside = _behind_stubs(self.inventory)
        return tuple(
            m
            for m in self.inventory.modules
            if m.address in inside and m.address not in self.floats
        )


def _behind_stubs(inventory: Inventory) -> frozenset[str]:
    found = {m.address for m in inventory.modules if m.op in ("quant", "constant")}
    waiting = list(found)
    while waiting:
        for user in inventory.users[waiting.pop()]:
            op = inventory.by_address[user].op
            if user not in found and op not in ("dequant", "output"):
                found.add(user)
                waiting.append(user)
    return frozenset(found)
