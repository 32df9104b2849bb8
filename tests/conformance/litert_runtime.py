"""Runs a TFLite model under one resolver of LiteRT, and says whether XNNPACK took it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RESOLVERS = {
    "tflite.reference": "BUILTIN_REF",
    "tflite.builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "xnnpack": "AUTO",
}
"""The resolver that each profile states the arithmetic of."""


@dataclass(frozen=True)
class Answer:
    values: np.ndarray
    delegated: bool
    """Whether the default delegate, XNNPACK, ran the operator."""


def run(content: bytes, profile: str, *operands: np.ndarray, output: int = 0) -> Answer:
    """An output, of several the one asked for. Raises ValueError or RuntimeError where the runtime refuses the model."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=getattr(OpResolverType, RESOLVERS[profile]),
        num_threads=1,
    )
    interpreter.allocate_tensors()
    for place, operand in zip(interpreter.get_input_details(), operands, strict=True):
        interpreter.set_tensor(place["index"], operand)
    interpreter.invoke()
    results = interpreter.get_output_details()
    values = interpreter.get_tensor(results[output if len(results) > 1 else 0]["index"])
    names = [d["op_name"] for d in interpreter._get_ops_details()]
    return Answer(values, "DELEGATE" in names)
