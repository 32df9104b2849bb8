"""The TPU-MLIR lane: the oracle's integers, but for ties that a float32 multiplier cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks import networks, shapes, tpu_mlir
from benchmarks.integer_forward import logical_graph, quantized
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.runtimes import numpy as oracle

GEMM = ("conv2d", "linear")
APART = 1e-3
"""Part of the values of a convolution that may be one step off."""


@torch.no_grad()
def graph_of(network: networks.Network) -> IntegerGraph:
    return logical_graph(quantized(network, tpu_mlir.MARCH), tpu_mlir.MARCH, tpu_mlir.PROFILE)


def oracles(graph: IntegerGraph, images: torch.Tensor) -> dict[str, np.ndarray]:
    """Every node's integers, and the input."""
    place = graph.by_id[graph.inputs[0]].address
    kept = [n.id for n in graph.nodes if n.op != "input"]
    found = oracle.run_keeping(graph, {place: images.numpy()}, kept)[1]
    return found | {graph.inputs[0]: images.numpy()}


@pytest.fixture(scope="module")
def residual() -> tuple[networks.Network, IntegerGraph]:
    network = networks.residual_stack(size=12)
    return network, graph_of(network)


def test_every_operator_gives_the_integers_of_the_oracle(
    residual: tuple[networks.Network, IntegerGraph],
) -> None:
    network, graph = residual
    values = oracles(graph, network.images(4))
    seen = set()
    for node in (n for n in graph.nodes if n.op != "input"):
        operands = [torch.from_numpy(values[i].astype(np.float32)) for i in node.inputs]
        found = tpu_mlir.operator(graph, node)(*operands).numpy()
        expected = values[node.id].astype(np.float32)
        if node.op in GEMM:
            apart = np.abs(found - expected)
            assert apart.max() <= 1, node.id
            assert (apart > 0).mean() <= APART, node.id
        else:
            np.testing.assert_array_equal(found, expected, err_msg=node.id)
        assert expected.std() > 0, node.id
        seen.add(node.op)
    assert {"quantize", "conv2d", "add", "relu", "dequantize"} <= seen


def test_the_emulation_runs_them_one_after_the_other(
    residual: tuple[networks.Network, IntegerGraph],
) -> None:
    network, graph = residual
    images = network.images(4)
    found = tpu_mlir.Emulation(graph)(images.to(memory_format=torch.channels_last))
    expected = oracles(graph, images)[graph.outputs[0][1]]
    assert found.dtype == torch.float32
    assert np.abs(found.numpy() - expected).max() <= 3 * float(
        graph.by_id[graph.by_id[graph.outputs[0][1]].inputs[0]].output.scale[0]
    )
    assert (found.numpy() != expected).mean() < 0.01


def test_a_classifier_with_pooling_is_emulated_to_its_logits() -> None:
    pytest.importorskip("sklearn")
    network = networks.digits()
    graph = graph_of(network)
    assert {"max_pool2d", "mean", "flatten", "linear"} <= {n.op for n in graph.nodes}
    images = network.images(64)
    found = tpu_mlir.Emulation(graph)(images).numpy()
    expected = oracles(graph, images)[graph.outputs[0][1]]
    assert (found.argmax(1) == expected.argmax(1)).all()
    assert (found != expected).mean() < 0.02


@torch.no_grad()
def test_a_transformer_is_refused_with_the_operator() -> None:
    from benchmarks.integer_forward import forwards

    small = networks.Network(
        "small",
        lambda: shapes.VitTiny(width=6, heads=1, blocks=1, patch=56).eval(),
        shapes.vit_tiny().images,
    )
    made, left_out = forwards(small, ("tpu-mlir", "onnxruntime"))
    assert list(made) == ["float-channels-last", "onnxruntime"]
    assert list(left_out) == ["tpu-mlir"]
    assert "softmax" in left_out["tpu-mlir"]
    assert all("\n" not in why for why in left_out.values())
