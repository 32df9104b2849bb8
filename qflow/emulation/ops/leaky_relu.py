"""leaky_relu: x above zero, a fraction of it below."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Shaped


class LeakyRelu(Shaped):
    """Attribute: negative_slope."""

    name = "leaky_relu"
    modules = ("torch.nn.LeakyReLU",)
    functions = ("torch.nn.functional.leaky_relu",)
    function = "nn.functional.leaky_relu"
    settings = (("negative_slope", 0.01),)
    examples = (
        Example(
            ((2, 3, 5),), {"negative_slope": 0.01}, written=("F.leaky_relu(x)", "nn.LeakyReLU()")
        ),
        Example(
            ((2, 3, 5),),
            {"negative_slope": 0.1},
            written=(
                "F.leaky_relu(x, 0.1, inplace=True)",
                "F.leaky_relu(x, negative_slope=0.1)",
                "nn.LeakyReLU(0.1)",
            ),
        ),
    )
