"""Marches: what one hardware family can do, as data. One YAML file beside this one is one march."""

from dataclasses import dataclass
from typing import Literal


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


@dataclass(frozen=True)
class March:
    """A hardware family. Everything here comes from its file; no code knows a march by name."""

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
    fuse_add_dtypes: tuple[str, ...]
    """Activation dtypes at which a residual add may join the gemm before it, else not."""
    ops: tuple[tuple[str, OpSupport], ...]
    """Sorted by operator name."""
    sources: tuple[tuple[str, str], ...] = ()
    """Where each setting above is known from, by its name."""

    def support(self, op: str) -> OpSupport | None:
        """What the march says of an operator; None when it does not list it."""
        return dict(self.ops).get(op)


def names() -> tuple[str, ...]:
    """Every march that ships, sorted."""
    from qflow.march.reader import files

    return tuple(files())


def load(name: str) -> March:
    """The march of that name. Raises KeyError when there is none."""
    from qflow.march.reader import files, read

    return read(files()[name])
