"""nn: modules for what eager models write as functions: `Exp`, `Interpolate`, `Div`, ...

`qflow.nn.quantized.FloatFunctional` is for sums, products and the like.
"""

from qflow.nn import quantized
from qflow.nn.functions import MODULES

globals().update(MODULES)
__all__ = ["quantized", *MODULES]
