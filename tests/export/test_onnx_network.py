"""A trained network as a whole: the digits example, exported, against the emulator on held-out images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("sklearn")

import torch

from benchmarks import networks
from qflow import march
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.runtimes import numpy as oracle
from qflow.export._model.finished import Finished
from qflow.export.onnx import Onnx
from qflow.quantization import (
    FakeQuantState,
    prepare,
    record,
    set_fake_quantize,
)
from tests.export.graphs import export

IMAGES = 360
QMAX = 127


@pytest.fixture(scope="module")
@torch.no_grad()
def graph() -> IntegerGraph:
    network = networks.digits()
    prepared = prepare(network.build(), {"image": network.images(2)}, march="nash-m", out_dir=None)
    set_fake_quantize(prepared, FakeQuantState.CALIBRATION)
    prepared(network.images(IMAGES))
    return lower(record(prepared), march.load("nash-m"), "onnxruntime").graph


@pytest.fixture(scope="module")
def images() -> dict[str, np.ndarray]:
    return {"image": networks.digits().images(IMAGES).numpy()}


@pytest.mark.parametrize("how", [{"signed": True}, {"fused": True}, {"fused": False}])
def test_onnxruntime_is_within_a_step_and_gives_the_same_class(
    how: dict, graph: IntegerGraph, images: dict, tmp_path: Path
) -> None:
    Onnx().write(Finished(graph), export(), tmp_path / "digits.onnx")
    ours = oracle.run(graph, images)["output"]
    theirs = Onnx().read(tmp_path / "digits.onnx").run(images, **how)["output"]
    step = np.abs(ours).max() / QMAX
    assert np.abs(ours - theirs).max() <= step
    np.testing.assert_array_equal(ours.argmax(1), theirs.argmax(1))


def test_what_runs_before_a_residual_is_the_same_bit_for_bit(
    graph: IntegerGraph, images: dict, tmp_path: Path
) -> None:
    Onnx().write(Finished(graph), export(), tmp_path / "digits.onnx")
    kept = ("quant", "stem.conv", "pool", "block1.first.conv")
    ours = oracle.run(graph, images, keep=kept)
    theirs = Onnx().read(tmp_path / "digits.onnx").run(images, signed=True, keep=kept)
    for id_ in kept:
        np.testing.assert_array_equal(ours[id_], theirs[id_])


def test_signed_sessions_run_every_convolution_without_a_residual_in_integers(
    graph: IntegerGraph, tmp_path: Path
) -> None:
    import onnx
    import onnxruntime

    Onnx().write(Finished(graph), export(), tmp_path / "digits.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(
        str(tmp_path / "digits.onnx"), options, providers=["CPUExecutionProvider"]
    )
    ran = [n.op_type for n in onnx.load(tmp_path / "optimized.onnx").graph.node]
    # stem, two first convolutions, one shortcut; two residual sums are computed in floats
    assert ran.count("QLinearConv") == 4
    assert ran.count("QLinearGlobalAveragePool") == 1
    assert ran.count("QGemm") == 1
    assert ran.count("Conv") + ran.count("FusedConv") == 2
