"""Ablation: each quantized tensor alone, all others float, and what that does to the outputs."""
