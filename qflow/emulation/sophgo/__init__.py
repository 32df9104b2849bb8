"""Arithmetic of the Sophgo compilers in NumPy: roundings, multipliers, ranges, weights.

Every rule was measured against the integers of the vendor's compiler (TPU-MLIR 1.30.2).
"""
