"""QTensor: integers with the grid they lie on, in and out of the integer model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.dtype import DTYPES
from qflow.emulation.rounding import ROUNDINGS, fast_to_grid, to_grid

if TYPE_CHECKING:
    from torch import Tensor

HELD = ("int8", "uint8", "int16", "int32")
"""Dtypes of the integers."""


class OnGrid(Protocol):
    """What says on which grid integers lie: a QTensor, a port of a model, a tensor's type."""

    @property
    def dtype(self) -> str: ...
    @property
    def scale(self) -> np.ndarray | None: ...
    @property
    def zero_point(self) -> int: ...
    @property
    def axis(self) -> int | None: ...


@dataclass(frozen=True, eq=False)
class QTensor:
    """Real value = (data - zero_point) * scale. Raises QflowError QF313 where the parts do not fit.

    Equal to nothing but itself: compare `data` and the grid.
    """

    data: np.ndarray | Tensor
    """int8, uint8, int16 or int32, of any shape; NumPy or torch."""
    scale: np.ndarray
    """float32 [1], or [channels] along `axis`."""
    zero_point: int = 0
    axis: int | None = None

    def __post_init__(self) -> None:
        given = np.atleast_1d(np.asarray(self.scale))
        # a Python number is a float64: it is brought to the float32 it stands for
        with np.errstate(over="ignore"):
            object.__setattr__(self, "scale", given.astype(np.float32))
        if why := self._wrong():
            raise fail(Diagnostic("QF313", f"a QTensor cannot be made so: {why}"))

    @property
    def dtype(self) -> str:
        """int8, uint8, int16 or int32."""
        return str(self.data.dtype).removeprefix("torch.")

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.data.shape)

    def dequantize(self) -> Any:
        """float32 of the same shape, in NumPy or torch as the data are; rounded twice at most: the
        integer to float32, and its product with the scale."""
        view = [1] * len(self.shape)
        if self.axis is not None:
            view[self.axis] = -1
        scale = self.scale.reshape(view if self.axis is not None else ())
        if isinstance(self.data, np.ndarray):
            return (self.data.astype(np.int64) - self.zero_point).astype(np.float32) * scale
        import torch

        step = torch.from_numpy(np.array(scale)).to(self.data.device)
        return (self.data.long() - self.zero_point).float() * step

    @classmethod
    def quantize(
        cls,
        x: np.ndarray | Tensor,
        *,
        like: OnGrid | None = None,
        scale: Any = None,
        zero_point: int = 0,
        dtype: str = "int8",
        axis: int | None = None,
        rounding: str = "half_even",
    ) -> QTensor:
        """Floats onto a grid: that of `like` (an input of a model, a QTensor), or the one given.

        `clamp(round(x / scale) + zero_point)`, the quotient in float32; `rounding` is half_even,
        half_up or half_away. Raises QflowError: QF403 for NaN, QF313 for a grid that cannot be.
        """
        if like is not None:
            scale, zero_point, dtype, axis = like.scale, like.zero_point, like.dtype, like.axis
        if scale is None or dtype not in HELD or rounding not in ROUNDINGS:
            text = f"no grid has scale {scale}, dtype `{dtype}` and rounding `{rounding}`"
            raise fail(Diagnostic("QF313", text))
        kind = DTYPES[dtype]
        blank = np.broadcast_to(np.zeros((), dtype), tuple(x.shape))
        grid = cls(blank, scale, zero_point, axis)
        view = [1] * blank.ndim
        if axis is not None:
            view[axis] = -1
        step = grid.scale.reshape(view if axis is not None else ())
        low, high = kind.qmin - zero_point, kind.qmax - zero_point
        if isinstance(x, np.ndarray):
            if np.isnan(x).any():
                raise _not_a_number()
            found = to_grid(x, step, rounding, low, high) + zero_point
            return cls(found.astype(dtype), grid.scale, zero_point, axis)
        import torch

        if x.isnan().any():
            raise _not_a_number()
        steps = torch.from_numpy(np.array(step)).to(x.device)
        wide = _onto_grid(x.detach(), steps, rounding, low, high) + zero_point
        return cls(wide.to(getattr(torch, dtype)), grid.scale, zero_point, axis)

    def __repr__(self) -> str:
        steps = (
            f"{float(self.scale[0]):.6g}" if self.scale.size == 1 else f"{self.scale.size} scales"
        )
        return f"QTensor({self.dtype} {list(self.shape)}, {steps}, zero point {self.zero_point})"

    def _wrong(self) -> str:
        """Why it cannot be; empty where it can."""
        if self.dtype not in HELD:
            return f"its data are {self.dtype}, and must be {', '.join(HELD)}"
        if not np.all(np.isfinite(self.scale) & (self.scale > 0)):
            return "a scale is not a number above 0"
        kind = DTYPES[self.dtype]
        if not kind.qmin <= self.zero_point <= kind.qmax:
            return f"zero point {self.zero_point} is outside of {kind}"
        if self.axis is None:
            return "" if self.scale.size == 1 else "many scales need an axis"
        if not 0 <= self.axis < len(self.shape):
            return f"it has no axis {self.axis}"
        many = self.scale.shape == (self.shape[self.axis],)
        return "" if many else f"{self.scale.size} scales for {self.shape[self.axis]} channels"


def same_grid(one: OnGrid, other: OnGrid) -> bool:
    """Whether the integers of both mean the same."""
    kinds = (one.dtype, one.zero_point, one.axis) == (other.dtype, other.zero_point, other.axis)
    return kinds and np.array_equal(one.scale, other.scale)  # type: ignore[arg-type]


def _onto_grid(x: Tensor, steps: Tensor, rounding: str, low: int, high: int) -> Tensor:
    """int64, clamped. A float32 holds no bound of 32 bits, so there the clamp is in float64."""
    if max(-low, high) < 1 << 24:
        return fast_to_grid(x, steps, rounding, low, high).long()
    found = to_grid(x.float().cpu().numpy(), steps.cpu().numpy(), rounding, low, high)
    import torch

    return torch.from_numpy(found).to(x.device)


def _not_a_number() -> QflowError:
    return fail(
        Diagnostic(
            "QF403",
            "a value that is not a number is to be quantized",
            help="look for it in the data: an integer grid has no place for it",
        )
    )
