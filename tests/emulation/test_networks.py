"""Networks of every style run in integers: both runtimes alike, at any batch, near fake-quant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from qflow.emulation import file
from qflow.emulation.layout import lay_out
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from tests import networks
from tests.emulation.converted import Converted, cosine
from tests.emulation.coverage import row, section
from tests.emulation.styles import converted

LEAST = {"int8": 0.99, "int16": 0.9999}
"""Cosine with the fake-quantized model."""
OPERATORS = 0.95
MULTIPLY_ACCUMULATES = 0.999
STALE = "`python -m tests.emulation.coverage` writes docs/reference/coverage.md anew"
BATCHES = (2, 3, 1)
"""That of the example, and others."""


def of_batch(inputs: dict[str, Tensor], batch: int) -> dict[str, Tensor]:
    """Samples of the example, over and over, the last first."""
    return {k: torch.cat([x, x.flip(0)])[:batch] for k, x in inputs.items()}


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("march", ["generic", "nash-m"])
@pytest.mark.parametrize("name", networks.NAMES)
def test_a_style(name: str, march: str, dtype: str, tmp_path: Path, two_threads: None) -> None:
    made, example = converted(name, march, dtype)
    runtime = TorchRuntime(made.graph)
    for batch in BATCHES:
        inputs = of_batch(example, batch)
        given = made.given(inputs)
        keep = [n.id for n in made.graph.nodes if n.op != "input"] if batch == 2 else []
        slow = oracle.run(made.graph, {k: v.numpy() for k, v in given.items()}, keep)
        quick = {k: v.contiguous().numpy() for k, v in runtime.run(given, keep).items()}
        different = [k for k, v in slow.items() if v.tobytes() != quick[k].tobytes()]
        assert not different, different[0]
        for output, rounded in made.fake_quant(inputs).items():
            assert slow[output].shape == tuple(rounded.shape)
            assert cosine(slow[output], rounded.numpy()) >= LEAST[dtype], output
    _require_the_same_as_a_file_in_nhwc(made, given, slow, tmp_path / "x.qnn")
    if march == "nash-m":
        covered = made.coverage
        assert covered.within.share >= OPERATORS, covered.floats
        assert covered.multiply_accumulates.share >= MULTIPLY_ACCUMULATES, covered.floats
        assert row(name, dtype, covered) in section(march), STALE


def _require_the_same_as_a_file_in_nhwc(
    made: Converted, given: dict[str, Tensor], outputs: dict[str, np.ndarray], path: Path
) -> None:
    file.save(lay_out(made.graph, "nhwc"), path)
    results = TorchRuntime(file.load(path)).run(given)
    assert all(np.array_equal(outputs[k], v.numpy()) for k, v in results.items())
