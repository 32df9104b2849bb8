"""Networks of every kind through the exact targets: no integer differs. The table has all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulation.styles import converted
from tests.export import networks

CASES = (
    ("residual", "nash-m", "mul15", "int8", "onnx_integer"),
    ("inverted_residual", "tflite", "tflite.builtin", "int8", "tflite"),
    ("shuffle", "tflite", "xnnpack", "int8", "tflite"),
)


@pytest.mark.parametrize(("name", "march", "profile", "dtype", "target"), CASES)
def test_no_integer_differs(
    name: str, march: str, profile: str, dtype: str, target: str, tmp_path: Path
) -> None:
    pytest.importorskip(networks.RUNTIMES[target])
    made, example = converted(name, march, dtype, "float")
    graph = networks.graph_for(made, march, profile)
    samples = networks.samples_for(graph, example, networks.SAMPLES)
    compared, mismatches = networks.compared(graph, target, samples, tmp_path)
    assert compared >= networks.SAMPLES * 10
    assert mismatches == 0
