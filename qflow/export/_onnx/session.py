"""session: the exported model in onnxruntime, speaking the model's own names, layout and floats."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic, fail
from qflow.export._onnx.file import NAMES, PORTS, PROFILE
from qflow.export._onnx.packages import need
from qflow.export._onnx.ports import Port
from qflow.export._onnx.settings import FLOAT32
from qflow.export._sealed import is_sealed

if TYPE_CHECKING:
    from onnx import ModelProto

_QUIET = 3
"""Only errors: every session without a GPU would warn otherwise."""
_KEPT = "kept/"
_ACCUMULATOR = "int32"


@dataclass
class Runnable:
    """The model of one file. Sessions are made when first needed and kept."""

    model: ModelProto
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    tensors: Mapping[str, Mapping[str, Any]]
    profile: str = ""
    """Whose integers the file computes in itself; empty: the runtime's own."""
    _sessions: dict[tuple[str, tuple[str, ...]], Any] = field(default_factory=dict, repr=False)

    def run(
        self,
        inputs: Mapping[str, np.ndarray],
        *,
        fused: bool = True,
        keep: Collection[str] = (),
        signed: bool = False,
    ) -> dict[str, np.ndarray]:
        """Outputs by name, float32 in the model's own layout, and the integers of `keep` by id.

        `inputs`: by input name, float32 NCHW, whatever layout and dtype the file takes. `fused`
        runs every optimization of onnxruntime, False none. `signed` tells a fused session to keep
        int8 signed: then every int8 operator that has an integer kernel runs in it, while on x86 an
        operator whose input has several readers otherwise stays in floats. One thread, so that sums
        have one order.

        Raises KeyError for an id in `keep` that has no integers in this export.
        """
        kept = tuple(sorted(set(keep)))
        session = self._session(_entry(fused, signed), kept)
        feeds = {p.name: p.into_file(np.asarray(inputs[p.name])) for p in self.inputs}
        names = [p.name for p in self.outputs] + [f"{_KEPT}{k}" for k in kept]
        found = dict(zip(names, session.run(names, feeds), strict=True))
        outputs = {p.name: p.from_file(found[p.name]) for p in self.outputs}
        return outputs | {k: self._integers(k, found[f"{_KEPT}{k}"]) for k in kept}

    def _session(self, entry: str, kept: tuple[str, ...]) -> Any:
        if (entry, kept) not in self._sessions:
            self._sessions[entry, kept] = _session(self._keeping(kept), entry)
        return self._sessions[entry, kept]

    def _keeping(self, kept: tuple[str, ...]) -> ModelProto:
        """The model with real values of more tensors as outputs.

        Not their integers: on x86 onnxruntime leaves an operator in floats whose int8 is an output.
        """
        if not kept:
            return self.model
        helper = need("onnx.helper")
        model = type(self.model)()
        model.CopyFrom(self.model)
        for id_ in kept:
            record, name = self.tensors[id_], f"{_KEPT}{id_}"
            if record["tensor"] is None:
                raise KeyError(f"`{id_}` has no integers in this export")
            if self._as_it_is(record):
                node = helper.make_node("Identity", [record["tensor"]], [name])
            else:
                inputs = [record["tensor"], *self._grid(model, record)]
                node = helper.make_node("DequantizeLinear", inputs, [name])
            dtype = record["dtype"] if self._as_it_is(record) else FLOAT32
            type_ = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
            model.graph.node.append(node)
            model.graph.output.append(helper.make_tensor_value_info(name, type_, None))
        return model

    def _as_it_is(self, record: Mapping[str, Any]) -> bool:
        """Whether integers leave as they are: an exact export has no kernels to be chosen."""
        return bool(self.profile) or record["dtype"] == _ACCUMULATOR

    @staticmethod
    def _grid(model: ModelProto, record: Mapping[str, Any]) -> tuple[str, str]:
        """Constants for an activation's scale and zero point."""
        numpy_helper = need("onnx.numpy_helper")
        arrays = np.float32(record["scale"][0]), np.zeros((), record["dtype"])
        names = tuple(f"{_KEPT}{record['tensor']}/{what}" for what in ("scale", "zero"))
        for name, array in zip(names, arrays, strict=True):
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
        return names[0], names[1]

    def _integers(self, id_: str, found: np.ndarray) -> np.ndarray:
        """Back from real values: one rounding of `q * scale / scale` is `q`."""
        record = self.tensors[id_]
        if self._as_it_is(record):
            return found
        return np.rint(found / np.float32(record["scale"][0])).astype(record["dtype"])


def read(path: Path) -> Runnable:
    """The model of a file that this target wrote.

    Its digest is checked before anything reads it. Raises QflowError: QF405 without onnx or
    onnxruntime, QF302 when there is no file, QF318 when qflow did not write it so.
    """
    onnx = need("onnx")
    need("onnxruntime")
    if not path.is_file():
        raise fail(Diagnostic("QF302", f"`{path}` is missing", help="run the export again"))
    content = path.read_bytes()
    if not is_sealed(content):
        raise fail(
            Diagnostic(
                "QF318",
                f"`{path}` is not an ONNX file that qflow wrote, or was changed",
                notes=("its digest is not that of its bytes",),
                help="run the export again",
            )
        )
    model = onnx.load_model_from_string(content)
    facts = {p.key: p.value for p in model.metadata_props}
    ports, names = json.loads(facts[PORTS]), json.loads(facts[NAMES])
    inputs, outputs = (tuple(map(Port.of_record, ports[k])) for k in ("inputs", "outputs"))
    return Runnable(model, inputs, outputs, names["tensors"], facts.get(PROFILE, ""))


def _entry(fused: bool, signed: bool) -> str:
    """The session setting that keeps int8 exact; nothing is set where nothing is fused.

    Without one, int8 products saturate at 16 bits on x86 processors before VNNI. The two cannot be
    set together: one makes unsigned weights, which kernels of signed inputs do not take.
    """
    if not fused:
        return ""
    return "session.qdqisint8allowed" if signed else "session.x64quantprecision"


def _session(model: ModelProto, entry: str) -> Any:
    runtime = need("onnxruntime")
    options = runtime.SessionOptions()
    levels = runtime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if entry else levels.ORT_DISABLE_ALL
    if entry:
        options.add_session_config_entry(entry, "1")
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    return runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
