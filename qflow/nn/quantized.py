"""quantized: FloatFunctional, for the sums, products and joins of an eager model."""

from qflow.quantization.float_functional import FloatFunctional

__all__ = ["FloatFunctional"]
