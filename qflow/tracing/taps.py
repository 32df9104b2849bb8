"""taps: what every call of a graph gives, besides what the model returns."""

from __future__ import annotations

from collections import Counter
from typing import Any

from torch import Tensor, fx, nn

from qflow.tracing.call import call_of


class Taps(fx.Interpreter):
    """Runs a graph and keeps a copy of what every call made: what follows may write into it."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.found: dict[str, Tensor] = {}
        """By address, `address#1` for its second call; `:0` behind it for one of several."""
        self.names: dict[fx.Node, str] = {}
        """Of the calls."""
        self._calls: Counter[str] = Counter()

    def run_node(self, n: fx.Node) -> Any:
        made = super().run_node(n)
        call = call_of(n)
        if call is None or n.op == "placeholder":
            return made
        repeat = self._calls[call.address]
        self._calls[call.address] += 1
        name = f"{call.address}#{repeat}" if repeat else call.address
        self.names[n] = name
        if isinstance(made, Tensor):
            self.found[name] = made.clone()
        elif isinstance(made, (tuple, list)):
            parts = {f"{name}:{i}": p for i, p in enumerate(made) if isinstance(p, Tensor)}
            self.found |= {part: value.clone() for part, value in parts.items()}
        return made


class Tapped(nn.Module):
    """Returns what every call gives, in execution order."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__()
        self.net = module

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.run(*inputs).found.values())

    def run(self, *inputs: Tensor) -> Taps:
        taps = Taps(self.net)
        taps.run(*inputs)
        return taps
