"""Statistics: the child of a fake-quantizer that holds an observer's state and the range found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from qflow.quantization.grid import ObserverGrid
from qflow.quantization.observer import Observer, State, extremes


class Fresh(dict[str, "Tensor | None"]):
    """The buffers of a module that has work put off: whoever reads them gets it done first.

    Attribute reads, state dicts, `named_buffers`, moves to a device and copies all come here.
    """

    def __init__(self, owner: Settling, buffers: Mapping[str, Tensor | None]) -> None:
        super().__init__(buffers)
        self.owner = owner

    def __getitem__(self, name: str) -> Tensor | None:
        self.owner.settle()
        return super().__getitem__(name)

    def items(self) -> Any:
        self.owner.settle()
        return super().items()

    def values(self) -> Any:
        self.owner.settle()
        return super().values()


class Settling(nn.Module):
    """A module whose buffers may lag behind until they are read."""

    def __init__(self) -> None:
        super().__init__()
        self._outdated = False
        self._buffers = Fresh(self, self._buffers)

    def settle(self) -> None:
        """Do what was put off."""
        if not self._outdated:
            return
        # first, as the work itself reads buffers
        self._outdated = False
        with torch.no_grad():
            self._update()

    def _update(self) -> None:
        raise NotImplementedError


class Statistics(Settling):
    """Buffers `min_val` and `max_val`, infinite before any data; the state itself is no buffer.

    A checkpoint carries the range under the field's names. What a run needs to go on exactly where
    it stopped is `state`, see `observer_tensors`. Batches change the state alone: the range, which
    some observers search long for, is found when someone reads it.
    """

    min_val: Tensor
    max_val: Tensor

    def __init__(self, observer: Observer, channels: int, grid: ObserverGrid) -> None:
        super().__init__()
        self.observer = observer
        self.grid = grid
        self.state: State = observer.start(channels)
        infinite = torch.full((channels,), torch.inf)
        self.register_buffer("min_val", infinite)
        self.register_buffer("max_val", -infinite)

    @property
    def seen(self) -> bool:
        """Whether a range is known."""
        return bool((self.min_val <= self.max_val).all())

    @property
    def has_data(self) -> bool:
        """Whether the state itself saw data, and not only the range was loaded."""
        empty = self.observer.start(self.min_val.numel()).tensors()
        found = self.state.tensors()
        return any(not torch.equal(t.cpu(), empty[n]) for n, t in found.items())

    def observe(self, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> None:
        """Take in a batch [C, N]; extremes [C] that are known need not be looked for."""
        if low is None or high is None:
            low, high = extremes(x)
        state = self.observer.observe_within(self.state.to(x.device), x, low, high)
        # `nn.Module` looks long at what is set, and this is done at every batch
        vars(self).update(state=state, _outdated=True)

    def observe_at_once(self, x: Tensor, anew: bool) -> bool:
        """Take in a batch [C, N] that need not be finite, in one pass, after what came before or
        anew; whether that was done."""
        before = None if anew else self.state.to(x.device)
        state = self.observer.observe_at_once(before, x)
        if state is not None:
            vars(self).update(state=state, _outdated=True)
        return state is not None

    def forget(self, channels: int) -> None:
        """Start anew, as for weights, which are wholly known at any time."""
        self.state = self.observer.start(channels)

    def restart(self) -> None:
        """Go on from the range in the buffers, which someone else has put there."""
        self.state = (
            self.observer.resume(self.min_val.clone(), self.max_val.clone())
            if self.seen
            else self.observer.start(self.min_val.numel())
        )

    def take_over(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state that was gathered elsewhere, by field; the range is found anew."""
        self.state = replace(self.state, **{name: t.clone() for name, t in state.items()})
        self._outdated = True

    def reread(self, observer: Observer) -> None:
        """Find the range anew, as another observer of the same kind of state does, and go on so."""
        self.observer = observer
        self._outdated = True

    def extra_repr(self) -> str:
        return repr(self.observer)

    def _update(self) -> None:
        low, high = self.observer.range(self.state, self.grid)
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
