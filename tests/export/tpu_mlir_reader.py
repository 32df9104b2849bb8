"""The tables of TPU-MLIR read as its compiler reads them, by the documented rules: strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass

ROW = re.compile(r"\S+\s+[-0-9.e]+\s+[-0-9.e]+\s+[-0-9.e]+")
QROW = re.compile(r"\S+\s+\S+(\s+-?\d+)?")
SECTIONS = ("#weight_scale", "#int4_th", "#tpu-mlir-fp8", "mqbench-fp8", "asym_op", "int4_op")
MODES = ("INT8", "UINT8", "INT4", "BF16", "F16", "F32", "W8F16", "W8BF16", "W4F16", "W4BF16")


@dataclass(frozen=True)
class Row:
    threshold: float
    low: float
    high: float


def cali_table(text: str) -> dict[str, Row]:
    """What the compiler takes; a line it would pass over is an error here."""
    found: dict[str, Row] = {}
    assert text.endswith("\n")
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("#"):
            assert not any(s in line for s in SECTIONS), f"{line!r} begins another section"
            continue
        assert ROW.fullmatch(line), f"the compiler passes over {line!r}"
        # its Python twin splits on single spaces and wants four fields
        name, *words = line.split(" ")
        assert len(words) == 3, line
        assert name not in found, f"{name} is there twice"
        row = Row(*map(float, words))
        assert not row.low == row.high == 0, f"{name} stays without a calibration"
        assert row.threshold > 0
        found[name] = row
    return found


def qtable(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        assert QROW.fullmatch(line), f"the compiler aborts at {line!r}"
        name, mode, *_ = line.split()
        assert mode.upper() in MODES
        found[name] = mode
    return found


def names_of(model: object) -> dict[str, str]:
    """Every tensor the compiler will have: its name there to the ONNX operator (or `input`).

    `{tensor}_{OpType}` for what an operator gives; sizes and constants are folded away.
    """
    import onnx

    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    every = (*inferred.graph.value_info, *inferred.graph.output)
    real = {v.name for v in every if v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT}
    found = {i.name: "input" for i in model.graph.input}
    for node in model.graph.node:
        if node.op_type in ("Constant", "Identity"):
            continue
        found |= {f"{name}_{node.op_type}": node.op_type for name in node.output if name in real}
    return found
