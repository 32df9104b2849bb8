"""Operators of ONNX on floats, between DequantizeLinear and QuantizeLinear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, node_of
from tests.conformance.onnx_bodies import BODIES
from tests.conformance.onnx_model import Model, by_onnxruntime, by_reference

WHOLE = {"mask": bool, "index": np.int64}


def model_of(graph: IntegerGraph, case: Case) -> tuple[Any, Mapping[str, np.ndarray]]:
    """The model and its inputs."""
    model = Model()
    reals = []
    for i, (values, on) in enumerate(zip(case.operands, case.sources, strict=True)):
        held = values.astype(WHOLE[on.dtype]) if on.whole else values
        model.inputs[f"x{i}"] = np.ascontiguousarray(held)
        reals.append(f"x{i}" if on.whole else model.real(f"x{i}", on))
    if case.weight_scale is not None:
        reals += _parameters(model, graph, case)
    name = BODIES[case.op](model, reals, case)
    model.add("QuantizeLinear", [name, *model.grid("y", case.target)], "y")
    return model.finish("y", case.target.dtype), model.inputs


def _parameters(model: Model, graph: IntegerGraph, case: Case) -> list[str]:
    node = node_of(graph)
    weight, bias = (graph.constants[node.constants[r]] for r in ("weight", "bias"))
    assert case.weight_scale is not None, "weights have a scale"
    scale = case.weight_scale.astype(np.float32)
    axis = case.weight_axis
    if axis:  # ONNX has it as torch does
        weight = np.asarray(case.weight).astype(weight.dtype)
    model.constants |= {
        "w": weight,
        "w_scale": scale,
        "b": bias.astype(np.int32),
        "b_scale": scale * np.float32(case.sources[0].scale),
    }
    return [
        model.add("DequantizeLinear", [name, f"{name}_scale"], f"{name}_real", axis=along)
        for name, along in (("w", axis), ("b", 0))
    ]


def unfused(graph: IntegerGraph, case: Case) -> np.ndarray:
    return by_onnxruntime(*model_of(graph, case), fused=False)


def reference(graph: IntegerGraph, case: Case) -> np.ndarray:
    return by_reference(*model_of(graph, case))


def fused(graph: IntegerGraph, case: Case) -> np.ndarray:
    """With whatever onnxruntime's optimizer makes of it."""
    return by_onnxruntime(*model_of(graph, case), fused=True)
