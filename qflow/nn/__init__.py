"""nn: modules for what eager models write as functions: `Exp`, `Interpolate`, `Div`, ...

`qflow.nn.quantized.FloatFunctional` is for sums, products and the like.
"""

from qflow.nn import quantized
from qflow.nn.bgr_to_yuv444 import BgrToYuv444
from qflow.nn.functions import MODULES

globals().update(MODULES)
__all__ = ["BgrToYuv444", "quantized", *MODULES]
