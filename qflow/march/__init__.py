"""Marches: what one hardware family can do, as data. One YAML file beside this one is one march."""

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from qflow.records import dataclass
from qflow.registry import nearest

if TYPE_CHECKING:
    from qflow.march.current import get_march as get_march
    from qflow.march.current import required as required
    from qflow.march.current import set_march as set_march
    from qflow.march.current import with_march as with_march


NARROW = ("int4", "int8")
"""Dtypes of at most 8 bits."""


@dataclass(frozen=True)
class OpSupport:
    """Number formats one operator takes on a march, as dtype names."""

    input: tuple[str, ...]
    output: tuple[str, ...]
    weight: tuple[str, ...] = ()
    same: bool = False
    """All tensor operands and the output must have one dtype. A narrower operand is widened, which
    is exact; an output narrower than an operand is what the hardware cannot do."""
    lowers: bool = False
    """A dtype it does not take becomes the widest it takes (QF504) and is no error (QF501)."""
    source: str = ""
    """Where this is known from; `our choice` where public sources do not settle it."""
    operands: tuple[tuple[str, ...], ...] = ()
    """Dtypes of each operand, where they differ; then `input` lists them all."""
    wide: int | None = None
    """How many operands may be wider than 8 bits at once; None: all of them."""

    def takes(self, slot: int, wide_before: int = 0) -> tuple[str, ...]:
        """Dtypes operand number `slot` may have, behind so many operands wider than 8 bits."""
        allowed = self.operands[slot] if slot < len(self.operands) else self.input
        if self.wide is None or wide_before < self.wide:
            return allowed
        return tuple(name for name in allowed if name in NARROW)


class _Names(type):
    """`March.NASH_M` is "nash-m": a constant per file, so that a new file needs no second edit."""

    def __getattr__(cls, name: str) -> str:
        # only names written as constants: dataclasses and mypy ask for many others
        if not name[:1].isupper():
            raise AttributeError(f"type object `{cls.__name__}` has no attribute `{name}`")
        known = {constant(n): n for n in names()}
        if name in known:
            return known[name]
        near = nearest(name.upper(), tuple(known)) or tuple(known)
        shown = ", ".join(f"March.{n}" for n in near)
        raise AttributeError(f"there is no march `March.{name}`; the nearest: {shown}")


def constant(name: str) -> str:
    """How a march is written in Python: `nash-m` is `March.NASH_M`."""
    return name.upper().replace("-", "_")


@dataclass(frozen=True)
class March(metaclass=_Names):
    """A hardware family. Everything here comes from its file; no code knows a march by name.

    The names of all marches are its constants: `March.NASH_M` is the string `nash-m`.
    """

    name: str
    about: str
    observed_divisor: Literal["half_range", "qmax"]
    """Observed scale: `half_range` is amax / ((qmax - qmin) / 2), so / 127.5; `qmax` is / 127."""
    threshold_divisor: Literal["minus_qmin", "qmax"]
    """Scale from a given threshold: `minus_qmin` is threshold / 128 for int8."""
    weight_divisor: Literal["half_range", "qmax"]
    rounding: Literal["half_even", "half_up", "half_away"]
    """Float to integer."""
    profile: str
    """File in `emulation/profiles`: how accumulators become outputs."""
    tail: Literal["int32", "quantized"]
    """Output of a gemm whose only user is the dequantize: `int32` keeps the accumulator."""
    layout: Literal["nchw", "nhwc"]
    """Layout of convolutions and pools on the device."""
    accumulator_bits: int
    bias_bits: int
    table_segments: int
    """Most segments of the look-up table of a function at int16; 0: no such table."""
    fuse_add_dtypes: tuple[str, ...]
    """Activation dtypes at which a residual add may join the gemm before it, else not."""
    ops: tuple[tuple[str, OpSupport], ...]
    """Sorted by operator name."""
    floats: tuple[tuple[str, str], ...] = ()
    """Operators known to stay float there, and why; the rest of what is not in `ops` is unknown."""
    sources: tuple[tuple[str, str], ...] = ()
    """Where each setting above is known from, by its name."""

    @cached_property
    def _by_op(self) -> dict[str, OpSupport]:
        return dict(self.ops)

    def support(self, op: str) -> OpSupport | None:
        """What the march says of an operator; None when it does not list it."""
        return self._by_op.get(op)


def names() -> tuple[str, ...]:
    """Every march that ships, sorted."""
    from qflow.march.reader import files

    return tuple(files())


def load(name: str) -> March:
    """The march of that name. Raises KeyError when there is none."""
    from qflow.march.reader import files, read

    return read(files()[name])


_CURRENT = ("get_march", "required", "set_march", "with_march")

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        # that file needs the class above
        if name not in _CURRENT:
            raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
        return getattr(import_module(f"{__name__}.current"), name)
