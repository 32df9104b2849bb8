"""Operators that one profile computes by rules of its own; a folder per family of profiles."""
