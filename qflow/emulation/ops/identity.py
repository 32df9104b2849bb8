"""identity: the same values; dropout outside of training is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.op import Op, Unsupported
from qflow.emulation.ops._window import argument


class Identity(Op):
    """No attributes."""

    name = "identity"
    role = "shape"
    modules = (
        "torch.nn.Identity",
        "torch.nn.Dropout",
        "torch.nn.Dropout1d",
        "torch.nn.Dropout2d",
        "torch.nn.Dropout3d",
        "torch.nn.AlphaDropout",
        "torch.nn.FeatureAlphaDropout",
    )
    functions = ("torch.nn.functional.dropout", "torch.nn.functional.dropout2d")
    shares_scale = True

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        if argument(args, kwargs, 2, "training", True):
            raise Unsupported("dropout with training = True drops at inference: pass self.training")
        return {}
