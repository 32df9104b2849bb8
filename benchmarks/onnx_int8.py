"""onnx_int8: the exported model in onnxruntime, and how much of it really runs in int8.

On x86 onnxruntime has fast kernels for unsigned operands only. What it cannot bring to them it
leaves in floats between a dequantize and a quantize, unless it is told that signed int8 is allowed.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qflow import registry
from qflow.emulation.graph import IntegerGraph
from qflow.export._model.finished import Finished
from qflow.plan.plan import ExportPlan

MARCH = "onnxruntime"
TARGET = "onnx"
PRECISE = "session.x64quantprecision"
"""Without it int8 products saturate at 16 bits on x86 processors that have no VNNI."""
SIGNED = "session.qdqisint8allowed"
"""The two cannot be set together: see `qflow/export/_onnx/session.py`."""
NO_SPINNING = "session.force_spinning_stop"
"""Threads that wait for more work after a run would take time from the lane that is next."""
QUIET = 3
IN_INT8 = frozenset({"QLinearConv", "QGemm"})
IN_FLOATS = frozenset({"Conv", "FusedConv", "Gemm", "MatMul"})


@dataclass(frozen=True)
class Session:
    """Images, float32 [N, C, H, W], to the only output."""

    running: Any
    in_int8: int
    """Convolutions and linear layers that run in int8."""
    of: int

    def __call__(self, images: np.ndarray) -> np.ndarray:
        (port,) = self.running.get_inputs()
        (output,) = self.running.run(None, {port.name: images})
        return output


def session(graph: IntegerGraph, threads: int, signed: bool = False) -> Session:
    """`graph` is NCHW. `signed` runs whatever has an integer kernel in it.

    Raises QflowError: QF405 without onnxruntime, QF501 and QF502 for what the export does not hold.
    """
    target = registry.load("export", TARGET)()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        target.write(Finished(graph), ExportPlan(TARGET, path.name, ()), path)
        model = target.read(path).model.SerializeToString()
        optimized = path.with_name("optimized.onnx")
        running = _running(model, optimized, threads, SIGNED if signed else PRECISE)
        operators = _operators(optimized)
    in_int8 = sum(o in IN_INT8 for o in operators)
    return Session(running, in_int8, in_int8 + sum(o in IN_FLOATS for o in operators))


def _running(model: bytes, optimized: Path, threads: int, entry: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    options.optimized_model_filepath = str(optimized)
    options.add_session_config_entry(NO_SPINNING, "1")
    options.add_session_config_entry(entry, "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _operators(path: Path) -> list[str]:
    import onnx

    return [node.op_type for node in onnx.load(path).graph.node]
