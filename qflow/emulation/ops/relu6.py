"""relu6: values from zero to six, on a grid of its own when nothing absorbs it."""

from __future__ import annotations

from qflow.emulation.op import Op


class Relu6(Op):
    """No attributes."""

    name = "relu6"
    role = "activation"
    modules = ("torch.nn.ReLU6",)
    functions = ("torch.nn.functional.relu6",)
    pattern_word = "relu6"
