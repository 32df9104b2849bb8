"""The torch runtime: batch after batch, and node after node."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.timing import timed
from qflow.emulation.runtimes.torch import TorchRuntime
from tests.emulation.build import lowered
from tests.emulation.nets import residual_net

pytestmark = pytest.mark.usefixtures("both_paths")


def test_batches_one_after_the_other() -> None:
    """Of different sizes, from a generator that is not read ahead."""
    graph, random = lowered(residual_net(size=8)), np.random.default_rng(0)
    images = [random.normal(size=(n, 3, 8, 8)).astype(np.float32) for n in (1, 4, 2)]
    taken: list[int] = []

    def batches():
        for i, image in enumerate(images):
            taken.append(i)
            yield {"image": torch.from_numpy(image)}

    for i, found in enumerate(TorchRuntime(graph).run_batches(batches(), ("head",))):
        assert taken == list(range(i + 1))
        want = oracle.run(graph, {"image": images[i]}, ("head",))
        assert found.keys() == want.keys()
        assert all(found[k].numpy().tobytes() == want[k].tobytes() for k in want)


def test_every_node_is_timed() -> None:
    graph = lowered(residual_net(size=8))
    rows = timed(TorchRuntime(graph), {"image": torch.zeros(2, 3, 8, 8)}, 2)
    assert [r.id for r in rows] == [n.id for n in graph.nodes]
    assert all(r.shape[0] == 2 for r in rows)
    sums = [r for r in rows if r.op == "conv2d"]
    assert sums
    assert all(r.bound and r.carrier and r.why for r in sums)
    assert not any(r.carrier for r in rows if r.op in ("input", "quantize", "dequantize"))
