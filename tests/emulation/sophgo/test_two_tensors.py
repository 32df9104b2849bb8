"""`max(x, y)` and `min(x, y)` run by the vendor's rule for the operators of two tensors."""

import numpy as np
import pytest
import torch

from qflow.emulation.lowering import lower
from qflow.emulation.op import op
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from tests.emulation.build import march
from tests.emulation.case import case


@pytest.mark.parametrize("profile", ["sophgo.bm1684", "sophgo.bm1684x", "sophgo.cv18xx"])
@pytest.mark.parametrize(("name", "of_two"), [("max", "maximum"), ("min", "minimum")])
def test_both_names_are_one_operator(name: str, of_two: str, profile: str) -> None:
    made = case(op(name), op(name).examples[1], "int8", False, seed=1)
    graph = lower(made.graph, march(), profile).graph
    assert graph.by_id["op"].op == of_two
    found = oracle.run(graph, made.inputs, ["op"])["op"]
    inputs = {k: torch.from_numpy(v) for k, v in made.inputs.items()}
    fast = TorchRuntime(graph).run(inputs, ["op"])["op"]
    np.testing.assert_array_equal(found, fast.numpy())
    assert np.unique(found).size > 1
