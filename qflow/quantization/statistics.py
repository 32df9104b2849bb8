"""Statistics: the child of a fake-quantizer that holds an observer's state and the range found."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from qflow.quantization.grid import ObserverGrid
from qflow.quantization.observer import Observer, State


class Statistics(nn.Module):
    """Buffers `min_val` and `max_val`, infinite before any data; the state itself is no buffer.

    A checkpoint carries the range under the field's names. What a run needs to go on exactly where
    it stopped is `state`, see `observer_tensors`.
    """

    min_val: Tensor
    max_val: Tensor

    def __init__(self, observer: Observer, channels: int) -> None:
        super().__init__()
        self.observer = observer
        self.state: State = observer.start(channels)
        infinite = torch.full((channels,), torch.inf)
        self.register_buffer("min_val", infinite)
        self.register_buffer("max_val", -infinite)

    @property
    def seen(self) -> bool:
        """Whether a range is known."""
        return bool((self.min_val <= self.max_val).all())

    def observe(self, x: Tensor, grid: ObserverGrid) -> None:
        """Take in a batch [C, N]."""
        self.state = self.observer.observe(self.state.to(x.device), x)
        self._find_range(grid)

    def measure(self, x: Tensor, grid: ObserverGrid) -> None:
        """The range of this batch alone: weights, which are wholly known at any time."""
        self.state = self.observer.start(x.shape[0])
        self.observe(x, grid)

    def restart(self) -> None:
        """Go on from the range in the buffers, which someone else has put there."""
        self.state = (
            self.observer.resume(self.min_val.clone(), self.max_val.clone())
            if self.seen
            else self.observer.start(self.min_val.numel())
        )

    def extra_repr(self) -> str:
        return repr(self.observer)

    def _find_range(self, grid: ObserverGrid) -> None:
        low, high = self.observer.range(self.state, grid)
        self.min_val.copy_(low)
        self.max_val.copy_(high)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        for name, buffer in self.named_buffers(recurse=False):
            fit_buffer(state_dict, prefix + name, buffer)
        super()._load_from_state_dict(state_dict, prefix, *args)
        self.restart()


def fit_buffer(state_dict: Any, key: str, buffer: Tensor) -> None:
    """A single number may be stored as a scalar or as a list of one."""
    value = state_dict.get(key)
    if isinstance(value, Tensor) and value.numel() == buffer.numel():
        state_dict[key] = value.reshape(buffer.shape)
