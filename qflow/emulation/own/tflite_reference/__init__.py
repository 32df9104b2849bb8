"""Operators that only the reference kernels of TFLite compute by rules of their own."""
