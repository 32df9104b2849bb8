"""When the quantized operators of onnxruntime apply: where everything has 8 bits."""

from __future__ import annotations

from qflow.emulation.op import BYTES, Call


def only(*dtypes: str) -> bool:
    """Whether a kernel exists: int16 is dequantized, computed in floats and quantized."""
    return all(d in BYTES for d in dtypes)


def only_in(call: Call) -> bool:
    return only(call.node.output.dtype, *(s.dtype for s in call.sources))
