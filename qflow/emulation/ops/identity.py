"""identity: the same values: dropout outside of training, a copy, another layout in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Unsupported
from qflow.emulation.ops._moving import Moving
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


_DROPOUTS = (
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "alpha_dropout",
    "feature_alpha_dropout",
)


class Identity(Moving):
    """No attributes."""

    name = "identity"
    modules = (
        "torch.nn.Identity",
        "torch.nn.Dropout",
        "torch.nn.Dropout1d",
        "torch.nn.Dropout2d",
        "torch.nn.Dropout3d",
        "torch.nn.AlphaDropout",
        "torch.nn.FeatureAlphaDropout",
    )
    functions = (
        *("torch.nn.functional." + n for n in _DROPOUTS),
        "torch.dropout",
        "torch.Tensor.contiguous",
        "torch.clone",
        "torch.Tensor.clone",
        "torch.detach",
        "torch.Tensor.detach",
        "torch.Tensor.to",
        "torch.Tensor.float",
        "torch.Tensor.cpu",
        "torch.Tensor.cuda",
    )
    rearranges = True
    any_layout = True
    examples = (
        Example(
            ((2, 3, 4, 5),),
            written=(
                "F.dropout(x, 0.1, False)",
                "F.dropout(x, training=False)",
                "x.contiguous()",
                "x.to(torch.float32)",
                "x.to('cpu')",
                "x.clone().detach()",
                "nn.Dropout(0.3)",
                "nn.Identity()",
            ),
        ),
    )

    def attributes_of_function(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> Mapping[str, Any]:
        if function in _DROPOUTS and argument(args, kwargs, 2, "training", True):
            raise Unsupported("dropout with training = True drops at inference: pass self.training")
        if function == "to":
            _only_moves([*args[1:], kwargs.get("dtype")], shapes)
        return {}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return self.attributes_of_function("dropout", args, kwargs, shapes)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.types[node.inputs[0]]
        if source.dtype == "int32":  # a kept accumulator on its way to the dequantize
            build.emit(node, "identity", node.inputs, source)
            return
        name = build.on_grid(node, 0)
        build.emit(node, "identity", (name,), build.types[name])

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return x

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        return x


def _only_moves(given: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> None:
    """Raises Unsupported where `x.to(...)` may change the dtype to anything but float32."""
    if len(shapes) != 1:
        raise Unsupported("the dtype is that of another tensor: give it by name")
    dtypes = [str(v) for v in given if str(v).startswith("torch.")]
    if wrong := [d for d in dtypes if d not in ("torch.float32", "torch.float")]:
        raise Unsupported(f"a cast to {wrong[0]}: the quantized part holds float32")
