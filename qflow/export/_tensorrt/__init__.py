"""The calibration cache of TensorRT: what it can hold, and how it is written."""
