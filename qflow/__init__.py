"""qflow: quantize PyTorch models for edge accelerators, reviewably and exactly."""

__version__ = "0.1.0"
