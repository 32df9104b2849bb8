"""windows: every window of an image at once, never made: what is asked is taken by steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qflow.export._onnx_integer.places import sliced
from qflow.export._onnx_integer.traced import Traced, Untraceable


@dataclass(frozen=True)
class Windows:
    """`sliding_window_view` of an image batch along its spatial axes, perhaps thinned."""

    image: Traced
    """[batch, channel, ...]."""
    reach: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]

    @property
    def spatial(self) -> int:
        return len(self.reach)

    @property
    def places(self) -> tuple[int, ...]:
        sizes = self.image.shape[2:]
        return tuple(
            (n - r) // s + 1 for n, r, s in zip(sizes, self.reach, self.stride, strict=True)
        )

    @property
    def taps(self) -> tuple[int, ...]:
        return tuple((r - 1) // d + 1 for r, d in zip(self.reach, self.dilation, strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.image.shape[:2], *self.places, *self.taps)

    @property
    def ndim(self) -> int:
        return 2 + 2 * self.spatial

    def __getitem__(self, key: Any) -> Windows:
        """Every n-th place and tap."""
        n = self.spatial
        keys = [*key, *[slice(None)] * (self.ndim - len(key))]
        if any(not isinstance(k, slice) or k.start or k.stop is not None for k in keys):
            raise Untraceable("it picks single windows")
        steps = [1 if k.step is None else int(k.step) for k in keys]
        if steps[:2] != [1, 1]:
            raise Untraceable("it thins channels")
        return replace(
            self,
            stride=tuple(a * b for a, b in zip(self.stride, steps[2 : 2 + n], strict=True)),
            dilation=tuple(a * b for a, b in zip(self.dilation, steps[2 + n :], strict=True)),
        )

    def max(self, axis: Any = None) -> Traced:
        return self._folded(axis, np.maximum)

    def min(self, axis: Any = None) -> Traced:
        return self._folded(axis, np.minimum)

    def sum(self, axis: Any = None) -> Traced:
        return self._folded(axis, np.add)

    def _folded(self, axis: Any, join: Callable[[Any, Any], Any]) -> Traced:
        """One axis after the other: as many steps as taps along each, not as their product."""
        if tuple(axis) != tuple(range(2 + self.spatial, self.ndim)):
            raise Untraceable("it takes windows apart")
        found = self.image
        for i in range(self.spatial):
            found = self._along(found, i, join)
        return found

    def _along(self, image: Traced, i: int, join: Callable[[Any, Any], Any]) -> Traced:
        total: Any = None
        for tap in range(self.taps[i]):
            start = tap * self.dilation[i]
            stop = start + (self.places[i] - 1) * self.stride[i] + 1
            part = sliced(image, 2 + i, slice(start, stop, self.stride[i]))
            total = part if total is None else join(total, part)
        return total  # type: ignore[no-any-return]


def of(image: Traced, reach: Sequence[int], axes: Sequence[int]) -> Windows:
    """Raises Untraceable for windows along other axes than those behind the channels."""
    if list(axes) != list(range(2, image.ndim)):
        raise Untraceable("it takes windows along other axes than those of an image")
    ones = (1,) * len(reach)
    return Windows(image, tuple(int(r) for r in reach), ones, ones)
