"""Operators with rules of their own that every kernel of TFLite shares."""
