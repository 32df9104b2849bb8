"""The syntax tree of a .qf file: frozen nodes, each with the span it was written at.

Spans never take part in comparison: two trees are equal when they say the same thing,
which is what the formatter's first safety check relies on. `name_span` and its like say where a
part of the node stands; a tree that was not parsed from text may leave them out.
"""

from dataclasses import field
from typing import Literal, TypeAlias

from qflow.diagnostics import Span
from qflow.records import dataclass


@dataclass(frozen=True)
class Node:
    span: Span = field(compare=False, kw_only=True)


# Values: data, never evaluated.


@dataclass(frozen=True)
class String(Node):
    value: str


@dataclass(frozen=True)
class Number(Node):
    value: int | float
    text: str
    """As written: `1e-3` stays `1e-3` when formatted."""


@dataclass(frozen=True)
class Name(Node):
    """A bare word or dotted name; also `true` and `false`."""

    value: str


@dataclass(frozen=True)
class TensorType(Node):
    """`float32[1, 3, H, W]`."""

    dtype: str
    dims: tuple[int | str, ...]


@dataclass(frozen=True)
class List(Node):
    items: tuple["Value", ...]


@dataclass(frozen=True)
class Dict(Node):
    entries: tuple[tuple[str, "Value"], ...]
    key_spans: tuple[Span, ...] = field(default=(), compare=False, kw_only=True)


Value: TypeAlias = String | Number | Name | TensorType | List | Dict


@dataclass(frozen=True)
class Keyword(Node):
    """`top = 4` inside a call."""

    name: str
    value: Value


@dataclass(frozen=True)
class Call(Node):
    """`sensitive(sens, top = 4)`: a selector function or the left side of a claim."""

    function: str
    args: tuple[String | Number | Name | Keyword, ...]


@dataclass(frozen=True)
class Field(Node):
    """`act.dtype = int8`."""

    name: str
    value: Value
    name_span: Span = field(compare=False, kw_only=True)


# Items of a file.


@dataclass(frozen=True)
class Use(Node):
    """`use "common/npu.qf" as npu`."""

    path: str
    """As written: relative to the folder of the file it stands in."""
    alias: str | None
    path_span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True)
class Range(Node):
    low: Number
    high: Number


@dataclass(frozen=True)
class Param(Node):
    name: str
    type: str
    value: Value
    domain: Range | List | None
    name_span: Span | None = field(default=None, compare=False, kw_only=True)
    type_span: Span | None = field(default=None, compare=False, kw_only=True)


BlockKind = Literal["model", "target", "data", "qconfig", "sensitivity", "export"]


@dataclass(frozen=True)
class Block(Node):
    kind: BlockKind
    name: str
    path: String | None
    """The string after the name: `export onnx "model.onnx" { ... }`."""
    fields: tuple[Field, ...]
    refines: "Block | None" = None
    """The imported qconfig these fields lie over; other kinds of blocks hold all their fields."""
    name_span: Span = field(compare=False, kw_only=True)


# graph { ... }


@dataclass(frozen=True)
class Wrap(Node):
    target: str


@dataclass(frozen=True)
class Leaf(Node):
    selector: "Selector"


@dataclass(frozen=True)
class Fuse(Node):
    pattern: tuple[str, ...]
    within: str | None


@dataclass(frozen=True)
class Graph(Node):
    statements: tuple[Wrap | Leaf | Fuse, ...]


# Selectors.


@dataclass(frozen=True)
class ByName(Node):
    pattern: str


@dataclass(frozen=True)
class ByType(Node):
    type: str
    within: str | None


@dataclass(frozen=True)
class ByOp(Node):
    op: str
    within: str | None


Atom: TypeAlias = ByName | ByType | ByOp | Call


@dataclass(frozen=True)
class Selector(Node):
    atoms: tuple[Atom, ...]
    excluded: tuple[Atom, ...]


# Rules.


@dataclass(frozen=True)
class UseAction(Node):
    """`use npu.w8a8 with { ... }`: the whole qconfig, with changes."""

    qconfig: str
    fields: tuple[Field, ...]
    qconfig_span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True)
class PatchAction(Node):
    """`patch { ... }`: keep what is there and set the named fields."""

    fields: tuple[Field, ...]


@dataclass(frozen=True)
class FloatAction(Node):
    """`float`: leave the module unquantized."""


@dataclass(frozen=True)
class ScalesAction(Node):
    """`scales from "net.cali_table" { map = position }`: keep what is there, but the grids of
    outputs come from a table."""

    source: String | Name
    """The path of the table, or a param that holds it."""
    fields: tuple[Field, ...]


Action: TypeAlias = UseAction | PatchAction | FloatAction | ScalesAction


@dataclass(frozen=True)
class DefaultRule(Node):
    action: Action


@dataclass(frozen=True)
class MatchRule(Node):
    selector: Selector
    action: Action
    optional: bool
    expect: int | None


@dataclass(frozen=True)
class ApplyRule(Node):
    rules: str
    rules_span: Span | None = field(default=None, compare=False, kw_only=True)


Rule: TypeAlias = DefaultRule | MatchRule | ApplyRule


@dataclass(frozen=True)
class RuleSet(Node):
    """`rules NAME { ... }`, inserted by `apply NAME`."""

    name: str
    rules: tuple[Rule, ...]
    name_span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True)
class Quantize(Node):
    rules: tuple[Rule, ...]


# schedule { ... }

StateName = Literal["float", "calibration", "qat", "validation"]


@dataclass(frozen=True)
class SetState(Node):
    selector: Selector
    state: StateName
    from_epoch: Value | None = None
    """Epochs count from 0; None: from the beginning."""
    state_span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True)
class Freeze(Node):
    what: Literal["bn", "scale", "weight"]
    selector: Selector
    from_epoch: Value | None


StageStatement: TypeAlias = SetState | Freeze | Field


@dataclass(frozen=True)
class Stage(Node):
    name: str
    data: str
    epochs: Value | None
    statements: tuple[StageStatement, ...]
    """Fields set how the stage trains: `optimizer = sgd`, `lr = 1e-3`, `loss = cross_entropy`."""
    name_span: Span | None = field(default=None, compare=False, kw_only=True)
    data_span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True)
class Schedule(Node):
    stages: tuple[Stage, ...]


# check { ... }


@dataclass(frozen=True)
class IsClaim(Node):
    """`output.cls is int32`."""

    subject: Name | Call
    dtype: str
    dtype_span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True)
class CompareClaim(Node):
    """`cosine(output.cls) >= 0.99`, `no scale == 1.0`."""

    subject: Name | Call
    operator: Literal[">=", "<=", "==", "!=", ">", "<"]
    value: Value | Call
    """A call on the right is measured too: `accuracy(integer) >= accuracy(float)`."""
    negated: bool
    """Written with `no`: nothing may satisfy the comparison."""


@dataclass(frozen=True)
class Assertion(Node):
    severity: Literal["assert", "warn"]
    claim: IsClaim | CompareClaim
    data: str | None
    data_span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True)
class Check(Node):
    assertions: tuple[Assertion, ...]


@dataclass(frozen=True)
class Sweep(Node):
    name: str
    zip: bool
    fields: tuple[Field, ...]
    name_span: Span | None = field(default=None, compare=False, kw_only=True)


Item: TypeAlias = Use | Param | Block | Graph | RuleSet | Quantize | Schedule | Check | Sweep


@dataclass(frozen=True)
class File(Node):
    """A whole file, items in the order written."""

    edition: int
    items: tuple[Item, ...]
