"""Operators that a graph of ONNX computes on dequantized values, one float operation at a time."""
