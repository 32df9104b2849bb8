"""shapes: of every tensor with a batch of a given size: TFLite files have fixed shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph


def shapes_of(graph: IntegerGraph, batch: int) -> dict[str, tuple[int, ...]]:
    """By node id; the graph is run once, on zeros."""
    import torch

    from qflow.emulation.runtimes.torch import TorchRuntime

    given = {}
    for id_ in graph.inputs:
        node = graph.by_id[id_]
        blank = np.zeros((batch, *node.output.shape[1:]), node.output.dtype)
        given[node.address] = torch.from_numpy(blank)
    ids = [n.id for n in graph.nodes]
    _, kept = TorchRuntime(graph).run_keeping(given, ids)
    return {k: tuple(int(n) for n in v.shape) for k, v in kept.items()}
