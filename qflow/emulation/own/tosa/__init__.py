"""Operators of the TOSA specification with rules of their own."""
