"""The onnxruntime lane runs our export, and says how much of it runs in int8."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import networks, onnx_int8
from benchmarks.integer_forward import logical_graph, quantized
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.runtimes import numpy as oracle

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
NETWORK = networks.residual_stack(size=8)


@pytest.fixture(scope="module")
def graph() -> IntegerGraph:
    with torch.no_grad():
        return logical_graph(quantized(NETWORK, onnx_int8.MARCH), onnx_int8.MARCH)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_it_computes_the_integers_of_its_march(
    graph: IntegerGraph, signed: bool, threads: int
) -> None:
    images = NETWORK.images(4).numpy()
    found = onnx_int8.session(graph, threads, signed)(images)
    place = graph.by_id[graph.inputs[0]].address
    expected = oracle.run(graph, {place: images})[graph.outputs[0][0]]
    step = float(graph.by_id[graph.by_id[graph.outputs[0][1]].inputs[0]].output.scale[0])
    steps = np.abs(found - expected) / step
    assert expected.std() > 10 * step
    # operators left in floats round elsewhere, and what follows passes it on
    assert steps.max() < (0.5 if signed else 4)
    assert (steps > 0.5).mean() < 0.1


def test_what_runs_in_int8_is_counted(graph: IntegerGraph) -> None:
    convolutions = sum(n.op == "conv2d" for n in graph.nodes)
    signed = onnx_int8.session(graph, 1, signed=True)
    assert (signed.in_int8, signed.of) == (convolutions, convolutions)
    plain = onnx_int8.session(graph, 1)
    assert plain.of == convolutions
    assert plain.in_int8 <= plain.of


def test_threads_and_settings_reach_the_runtime(
    graph: IntegerGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    made, real = [], onnxruntime.InferenceSession

    def session(model: bytes, options: Any, **given: Any) -> Any:
        made.append(options)
        return real(model, options, **given)

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    onnx_int8.session(graph, 2)
    (options,) = made
    assert options.intra_op_num_threads == 2
    assert options.get_session_config_entry(onnx_int8.PRECISE) == "1"
    assert options.get_session_config_entry(onnx_int8.NO_SPINNING) == "1"
