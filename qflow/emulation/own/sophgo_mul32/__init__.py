"""Operators of BM1684X and BM1688: a multiplier and a shift per channel or operand."""
