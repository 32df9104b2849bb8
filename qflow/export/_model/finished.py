"""finished: what a target writes of: a model whose stages are done, in every form of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import fx

    from qflow.emulation.graph import IntegerGraph
    from qflow.plan.plan import Plan
    from qflow.tracing import Traced


@dataclass(frozen=True)
class Whole:
    """What a run knows besides the integers. Both modules are made anew at every call."""

    plan: Plan
    prepared: Callable[[], fx.GraphModule]
    """The fake-quantized model as the last stage left it: eval mode, every fake-quantizer in the
    state `validation`, with its address and scale."""
    traced: Callable[[], Traced]
    """The float model as it was traced, with the weights it came with."""


@dataclass(frozen=True)
class Finished:
    graph: IntegerGraph
    """Images NCHW, addresses as in the model."""
    whole: Whole | None = None
    """None where there are integers alone, as of a model exported from Python."""
