"""Operators that the optimized kernels of LiteRT compute by rules of their own."""
