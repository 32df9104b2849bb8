"""relu: zero and what lies above it, on a grid of its own when nothing absorbs it."""

from __future__ import annotations

from qflow.emulation.op import Op


class Relu(Op):
    """No attributes."""

    name = "relu"
    role = "activation"
    modules = ("torch.nn.ReLU",)
    functions = (
        "torch.nn.functional.relu",
        "torch.relu",
        "torch.Tensor.relu",
        "torch.relu_",
        "torch.Tensor.relu_",
    )
    pattern_word = "relu"
