"""Op: what one operator is. A file in `ops/` defines one; nothing else lists operators.

These files import no torch at module level: the NumPy runtime and the compiler read them so.
`steps/` holds, in the same form, what only integer graphs have: input, quantize, rescale, ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from qflow import registry

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from qflow.emulation.builder import Builder
    from qflow.emulation.graph import Node, TensorType
    from qflow.emulation.profile import Profile
    from qflow.quantization.prepared import PreparedNode

Role = Literal[
    "gemm",
    "attention",
    "normalization",
    "activation",
    "elementwise",
    "pool",
    "shape",
    "boundary",
]

NARROW = ("int8", "uint8", "int16")
"""What most operators read and write; wider values are accumulators."""
MOVED = (*NARROW, "int32")
"""What operators read and write that only move values."""

Range = tuple[int, int]
"""Smallest and largest integer a tensor can hold."""


@dataclass(frozen=True)
class Example:
    """A case of the generic test: shapes of the tensor operands and how the operator is set."""

    shapes: tuple[tuple[int, ...], ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    weight: tuple[int, ...] | None = None
    activation: str | None = None
    residual: bool = False
    written: tuple[str, ...] = ()
    """The same as models write it: `torch.cat([x, y], 1)`, of operands `x`, `y`, `z`, `m`, or a
    module, `nn.Softmax(-1)`. Each must be traced to this operator and these attributes."""
    kinds: tuple[str, ...] = ()
    """Per operand what it holds: `float`, `positive`, `above one`, `unit`, `index` or `mask`; all
    floats if there are none."""
    bias: tuple[int, ...] | None = None
    """Shape of the bias of a normalization; a product has one value per output channel."""


FieldKind = Literal[
    "flag",
    "integer",
    "count",
    "axis",
    "bits",
    "number",
    "word",
    "pair",
    "padding",
    "sizes",
    "axes",
    "offsets",
    "rounding",
]
"""`count` is 1 or more, `number` a finite float, `word` a short text, `pair` two counts, `padding`
four numbers from 0, `sizes` counts, `axes` numbers from 0, `offsets` numbers of either sign."""


def form(**fields: FieldKind) -> Mapping[str, FieldKind]:
    """The attributes of an operator's integer node, and what each must be."""
    return fields


CLAMP: Mapping[str, FieldKind] = {"low": "integer", "high": "integer"}
"""Fields of an operator that clamps its result."""
EXACT: Mapping[str, float] = {"int8": 0.0, "int16": 0.0}
"""`within` of an operator that moves values."""
ROUNDED: Mapping[str, float] = {"int8": 0.51, "int16": 0.51}
"""`within` of an operator that rounds once: half a step, and the last bits of its multiplier."""


BYTES = ("int8", "uint8")
"""Dtypes of 8 bits."""


@dataclass(frozen=True)
class Constant:
    """What a constant must be."""

    dtypes: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    """Allowed shapes."""
    of_profile: bool = False
    """Whether the profile knows what values are possible: a multiplier, a shift."""
    low: int | None = None
    high: int | None = None
    """Allowed values, where the operator would fail on others."""


@dataclass(frozen=True)
class Call:
    """One node with all it runs with, whatever the runtime."""

    node: Node
    sources: tuple[TensorType, ...]
    constants: Mapping[str, np.ndarray]
    """By role."""
    profile: Profile

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the operands as `oracle` and `fast` see them: images with channels first."""
        shapes = tuple(s.shape for s in self.sources)
        if not self.operator.image or self.node.output.layout != "nhwc":
            return shapes
        return tuple((n, c, h, w) for n, h, w, c in shapes)

    def zero(self, index: int) -> int:
        """Zero point of an operand."""
        return self.sources[index].zero_point

    @property
    def zero_point(self) -> int:
        """Zero point of the output."""
        return self.node.output.zero_point

    def centred(self, index: int, values: np.ndarray) -> np.ndarray:
        """An operand, int64, with its zero point at 0."""
        return values.astype("int64") - self.zero(index)

    @property
    def operator(self) -> Op:
        """What runs it: the profile's own form of the operator, where it has one."""
        return runnable(self.node.op, self.profile.own)


@dataclass(frozen=True)
class Fast:
    """The torch form of one node, prepared: constants are on the device, the carrier is chosen."""

    run: Callable[..., Tensor]
    """Takes and gives integers in any dtype that holds them exactly: that of the tensor's type, or
    float32, or float64 where 24 bits do not hold them."""
    carrier: str = "float32"
    """Where sums are made: `int8`, `float32`, `float32 twice`, `float64` or `int64`."""
    bound: int = 0
    """Largest magnitude of any partial sum; 0 where nothing is summed."""
    why: str = ""
    """What made the choice, for people."""


class Op:
    """Facts of an operator, how tracing recognizes it, and what it computes on integers."""

    name: ClassVar[str]
    """The file's name, which is the name in the language and in marches."""
    role: ClassVar[Role]
    modules: ClassVar[tuple[str, ...]] = ()
    """Dotted names of the module classes it stands for, exact types: `torch.nn.Conv2d`."""
    functions: ClassVar[tuple[str, ...]] = ()
    """Dotted names of functions: `torch.add`, `operator.add`, `torch.Tensor.add`."""
    shares_scale: ClassVar[bool] = False
    """The output lies on the grid of its inputs: reshape, permute, max pool, relu, cat."""
    rearranges: ClassVar[bool] = False
    """Every value of its one operand is in the output once, and nothing else: where it stands
    behind a dequantize it may run before it, on integers of any width."""
    pattern_word: ClassVar[str] = ""
    """Its word in a `fuse` pattern: conv, linear, bn, add, relu, relu6. Empty: never fused."""
    weight_axis: ClassVar[int | None] = None
    """Axis of the output channels in the module's `weight`, which has grids of its own; None: it
    has no such weight."""
    gives_indices: ClassVar[bool] = False
    """The result holds whole numbers that lie on no grid: argmax."""
    index_part: ClassVar[int | None] = None
    """Which part of a result that is a tuple holds such: 1 of topk."""

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        """Plain data (ints, tuples, strings) lowering needs of a module. Raises Unsupported."""
        return {}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        """The same of a functional call. Raises Unsupported.

        Tensor operands in `args` are None; `shapes` are theirs, in order.
        """
        return {}

    def attributes_of_function(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> Mapping[str, Any]:
        """The same where the name of the function matters: `select`, `chunk`, `__rsub__`."""
        return self.attributes_of_call(args, kwargs, shapes)

    def macs(
        self,
        shapes: Sequence[tuple[int, ...]],
        output: tuple[int, ...],
        weight: tuple[int, ...] = (),
    ) -> int:
        """Multiply-accumulates of one sample: with weights, a dot product per output element."""
        if self.weight_axis is None or len(weight) < 2:
            return 0
        # each input element of a transposed convolution meets the weights of its channel
        per_element = prod(shapes[0][1:]) if self.weight_axis else prod(output[1:])
        return per_element * prod(weight[1:])

    # --- integers -------------------------------------------------------------------------------

    integer: ClassVar[bool] = True
    """Whether an integer graph can hold it; batch norm and the stubs become something else, others
    run as fake-quantized floats only."""
    operands: ClassVar[tuple[int, int]] = (1, 1)
    """Least and most tensor operands."""
    fields: ClassVar[Mapping[str, FieldKind]] = {}
    """Attributes of its integer node, exactly."""
    reads: ClassVar[tuple[str, ...]] = NARROW
    """Dtypes an operand of its integer node may have."""
    writes: ClassVar[tuple[str, ...]] = NARROW
    """Dtypes its output may have."""
    checks_itself: ClassVar[bool] = False
    """`check` says what attributes and shape it may have, not `fields` and `shape`."""
    keeps_type: ClassVar[bool] = False
    """The output has dtype, scale and zero point of every operand that lies on a grid."""
    image: ClassVar[bool] = False
    """Runs in the march's image layout. `oracle` and `fast` always see NCHW."""
    any_layout: ClassVar[bool] = False
    """Gives the same values whatever the order of the axes."""
    within: ClassVar[Mapping[str, float]] = {}
    """Largest error against `meaning` in output steps, by dtype, on a profile of 31 bits."""
    examples: ClassVar[tuple[Example, ...]] = ()
    float_examples: ClassVar[tuple[Example, ...]] = ()
    """Of an operator with an integer form, the forms of a call that have none."""

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        """Why a call in this form has no integer form though the operator has one; empty: it has.

        `shapes` are those of the tensor operands, as traced.
        """
        return ""

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor | tuple[Tensor, ...]:
        """What it computes on floats, in torch, without what is fused behind it."""
        raise NotImplementedError

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray | tuple[np.ndarray, ...]:
        """What it computes on floats, in NumPy, float64 in and out: what tables are made from, and
        what a float island runs. Attributes and parameters are the prepared node's."""
        raise NotImplementedError

    def settled(
        self, node: PreparedNode, shape: tuple[int, ...], free: tuple[int, ...]
    ) -> Mapping[str, Any]:
        """Attributes without the batch of the example: with -1 or an open end in its place.

        `shape` and `free` are the first operand's. The same again of what is settled. Raises
        Unsupported where the operator cannot do without.
        """
        return dict(node.attributes)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        """Emit the integer nodes that stand for `node`. Raises Unsupported.

        An operator with several outputs emits a node `<id>:<k>` for each of them.
        """
        raise Unsupported("it has no integer form of its own")

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        """Shape of the output. Raises Unsupported where the operands' do not fit."""
        return tuple(shapes[0])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        """The constants a node must have, exactly."""
        return {}

    def check(self, call: Call) -> None:
        """Of an operator that checks itself: raises Unsupported for a node that could not run."""

    def ruled_by(self, call: Call) -> Profile:
        """The profile that made the constants of a node: an own operator may have its own."""
        return call.profile

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        """int64 in and out, written for the reader."""
        raise NotImplementedError

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        """The same in torch; `ranges` are those of the operands."""
        raise NotImplementedError

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        """Range of the output: that of its clamp, or what its operands span."""
        if "low" in call.node.attributes:
            return call.node.attributes["low"], call.node.attributes["high"]
        return min(r[0] for r in ranges), max(r[1] for r in ranges)


class Unsupported(Exception):
    """A form of the operator that qflow cannot do; the text says which. Becomes QF120 or QF502."""


@cache
def op(name: str, own: tuple[str, ...] = ()) -> Op:
    """The operator of that name; of folders below `emulation/own`, the first one that has it.

    Raises KeyError.
    """
    for folder in own:
        if name in registry.names(f"emulation.own.{folder}"):
            return registry.load(f"emulation.own.{folder}", name)()  # type: ignore[no-any-return]
    return registry.load("emulation.ops", name)()  # type: ignore[no-any-return]


@cache
def runnable(name: str, own: tuple[str, ...] = ()) -> Op:
    """The operator or step of that name that an integer graph may hold. Raises KeyError."""
    is_step = name in registry.names("emulation.steps")
    if not is_step or any(name in registry.names(f"emulation.own.{f}") for f in own):
        return op(name, own)
    return registry.load("emulation.steps", name)()  # type: ignore[no-any-return]
