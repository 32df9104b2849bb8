"""Observer: what turns the values of a tensor into a range. One file in `observers/` is one.

Settings are the fields of a frozen dataclass; the statistics are a `State`, immutable as well, so
that they can be merged and saved. These files import torch only inside functions.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid
    from qflow.quantization.place import Place


def extremes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Lowest and highest value of each row of [C, N], [C] each; NaN where there is one."""
    if x.shape[0] > 1:
        # torch's `aminmax` is slow along a dimension, and fast over all there is
        return x.amin(dim=1), x.amax(dim=1)
    low, high = x.reshape(-1).aminmax()
    return low.reshape(1), high.reshape(1)


@dataclass(frozen=True, eq=False)
class State:
    """Statistics of a tensor: every field is a tensor, channels first where it has channels."""

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def to(self, device: torch.device) -> Any:
        """The same state on another device; itself when it is there already."""
        # not `tensors()`: it is asked at every batch
        if all(t.device == device for t in vars(self).values()):
            return self
        return replace(self, **{name: t.to(device) for name, t in self.tensors().items()})


class Observer:
    """Base of every observer. `x` is float [C, N], finite, N above 0; ranges are float64 [C]."""

    order_free: ClassVar[bool] = True
    """Whether the order of batches does not matter, so that merging is exact."""

    per_channel: ClassVar[bool] = True
    """Whether a range per channel makes sense. False: it is for whole tensors."""
    rounding_error: ClassVar[float] = 0.0
    """How far, relatively, merging may differ from the whole: float sums depend on their order."""

    def placed(self, place: Place) -> Observer:
        """This observer for a tensor at a place in a network; itself where that is all the same."""
        return self

    def start(self, channels: int) -> Any:
        """The state before any data."""
        raise NotImplementedError

    def observe(self, state: Any, x: Tensor) -> Any:
        """The state after one more batch."""
        raise NotImplementedError

    def observe_within(self, state: Any, x: Tensor, low: Tensor, high: Tensor) -> Any:
        """`observe`, told the lowest and highest value of `x`, [C] each in its dtype.

        Whoever checks that `x` is finite knows them; observers that look for nothing else need not
        read `x` again.
        """
        return self.observe(state, x)

    def observe_at_once(self, state: Any | None, x: Tensor) -> Any | None:
        """`observe` in a single pass over `x`, which need not be finite: None where it is not, or
        where there is no such pass for this batch. A state of None is one before any data."""
        return None

    def merge(self, a: Any, b: Any) -> Any:
        """The state as if the batches of `b` had followed those of `a`."""
        raise NotImplementedError

    def range(self, state: Any, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        """Lowest and highest value to represent, per channel. The state must have seen data."""
        raise NotImplementedError

    def resume(self, low: Tensor, high: Tensor) -> Any:
        """A state to go on from when only a range is known, as after loading a checkpoint.

        Observers that need more than the range start anew.
        """
        return self.start(low.numel())
