"""Operators that every Sophgo family computes alike: casts from floats, lookup tables."""
