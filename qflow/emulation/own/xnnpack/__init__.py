"""Operators that XNNPACK, the default delegate of LiteRT, computes by rules of its own."""
