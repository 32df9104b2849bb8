"""Work in blocks gives what it gives at once, for one sample of any rank."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qflow.emulation.op import Example
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes._blocks import BLOCK
from qflow.emulation.runtimes.torch import TorchRuntime
from tests.emulation.build import lowered, one_op


@pytest.mark.parametrize("profile", ["mul15", "onnxruntime"])
@pytest.mark.parametrize("shape", [(1, 700, 64), (1, 9, 60, 64), (1, 5, 9, 16, 64)])
def test_channels_of_one_sample_keep_their_constants(shape: tuple[int, ...], profile: str) -> None:
    random = np.random.default_rng(0)
    weight = random.normal(size=(160, 64)).astype(np.float32)
    graph = one_op(
        "linear",
        Example((shape,), weight=weight.shape),
        [0.03],
        0.2,
        weight=weight,
        bias=random.normal(size=160).astype(np.float32),
    )
    integer = lowered(graph, profile)
    image = random.normal(size=shape).astype(np.float32) * 2
    slow = oracle.run(integer, {"x0": image})["y"]
    quick = TorchRuntime(integer).run({"x0": torch.from_numpy(image)})["y"].numpy()
    assert slow.size > BLOCK
    assert np.array_equal(slow, quick)
