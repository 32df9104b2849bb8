"""Operators that onnxruntime computes by rules of its own on a CPU, for 8 bits."""
