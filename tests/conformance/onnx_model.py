"""Small ONNX models: one operator on quantized tensors, or between two quantized tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.conformance.litert_case import On

OPSET, IR_VERSION = 21, 10
MICROSOFT = "com.microsoft"


@dataclass
class Model:
    """A graph in the making; names of tensors are the caller's."""

    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    inputs: dict[str, np.ndarray] = field(default_factory=dict)

    def grid(self, name: str, on: On) -> list[str]:
        """Names of the scale and the zero point of a tensor."""
        self.constants[f"{name}_scale"] = np.float32(on.scale)
        self.constants[f"{name}_zero"] = np.array(on.zero_point, on.dtype)
        return [f"{name}_scale", f"{name}_zero"]

    def add(
        self, op: str, inputs: list[str], output: str, domain: str = "", **settings: Any
    ) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(op, inputs, [output], domain=domain, **settings))
        return output

    def real(self, name: str, on: On) -> str:
        """The name of the dequantized tensor."""
        return self.add("DequantizeLinear", [name, *self.grid(name, on)], f"{name}_real")

    def finish(self, output: str, dtype: str) -> Any:
        from onnx import helper, numpy_helper

        kinds = {k: helper.np_dtype_to_tensor_dtype(v.dtype) for k, v in self.inputs.items()}
        graph = helper.make_graph(
            self.nodes,
            "operator",
            [helper.make_tensor_value_info(k, kinds[k], v.shape) for k, v in self.inputs.items()],
            [
                helper.make_tensor_value_info(
                    output, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), None
                )
            ],
            [numpy_helper.from_array(np.asarray(v), k) for k, v in self.constants.items()],
        )
        domains = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=domains, ir_version=IR_VERSION)


def by_onnxruntime(model: Any, inputs: Mapping[str, np.ndarray], fused: bool) -> np.ndarray:
    """The first output. `fused` lets the optimizer make quantized operators."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.x64quantprecision", "1")
    if not fused:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, dict(inputs))[0]
    return result


def by_reference(model: Any, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The first output of ONNX's reference evaluator."""
    from onnx.reference import ReferenceEvaluator

    with np.errstate(all="ignore"):  # of numbers a function has no value for
        result: np.ndarray = ReferenceEvaluator(model).run(None, dict(inputs))[0]
    return result
