"""pt2_run: the program of a `.pt2` archive as it is, operator by operator of ATen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Node:
    """One call; names of the graph stand in `args` as texts of a kind of their own."""

    target: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    names: tuple[str | None, ...]
    several: bool = False
    """What it returns is a sequence, with a name each."""


def overload(target: str) -> Any | None:
    """The operator `torch.ops.aten.<name>.<overload>`; None where there is none."""
    parts = target.split(".")
    if parts[:3] != ["torch", "ops", "aten"] or len(parts) != 5:
        return None
    packet = getattr(torch.ops.aten, parts[3], None)
    found = getattr(packet, parts[4], None)
    return found if isinstance(found, torch._ops.OpOverload) else None


@dataclass(frozen=True)
class Program:
    """Nodes over inputs and weights; only operators that reading let through are in it."""

    inputs: tuple[tuple[str, str], ...]
    """Name in the graph and name of the input."""
    weights: Mapping[str, Tensor]
    """Under the names of the graph, with a `$` before each."""
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]

    def run(self, values: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """The outputs for one set of inputs. Raises what the operators raise."""
        found: dict[str, Any] = {k[1:]: v for k, v in self.weights.items() if k.startswith("$")}
        found |= {name: values[port] for name, port in self.inputs}

        def given(value: Any) -> Any:
            # the type tells a name from a text
            if type(value) is not str and isinstance(value, str):
                return found[value]
            if isinstance(value, list):
                return [given(v) for v in value]
            return value

        with torch.no_grad():
            for node in self.nodes:
                args = [given(a) for a in node.args]
                result = node.target(*args, **{k: given(v) for k, v in node.kwargs.items()})
                results = result if node.several else (result,)
                for name, value in zip(node.names, results, strict=False):
                    if name is not None:
                        found[name] = value
        return tuple(found[name] for name in self.outputs)
