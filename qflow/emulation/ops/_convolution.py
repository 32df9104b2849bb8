"""What the convolutions of one, two and three axes share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation import gemm, gemm_lowering
from qflow.emulation.builder import scale
from qflow.emulation.op import ROUNDED, Call, Constant, Fast, Op, Range, Unsupported, form, op
from qflow.emulation.ops._norm import parameters_of
from qflow.emulation.ops._sliding import Sizes, convolved, geometry, padded, padding_of
from qflow.quantization.prepared import Grid, PreparedNode

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder


class Convolution(Op):
    """Attributes: kernel, stride, dilation (one number per axis), padding, groups.

    padding is what goes before each axis, then what goes behind each: the order of ONNX.
    padding_mode is there where it is not zeros; lowering then pads in a node of its own.
    """

    role = "gemm"
    pattern_word = "conv"
    operands = (1, 2)
    weight_axis = 0
    writes = gemm.WRITES
    fields = form(
        **gemm.FIELDS,
        kernel="sizes",
        stride="sizes",
        padding="axes",
        dilation="sizes",
        groups="count",
    )
    within = ROUNDED
    spatial: ClassVar[int]
    """How many axes it slides along."""

    @property
    def view(self) -> Sizes:
        """Shape of what there is one of per channel."""
        return (1, -1) + (1,) * self.spatial

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        kernel, dilation = tuple(module.kernel_size), tuple(module.dilation)
        mode = module.padding_mode
        return {
            "kernel": kernel,
            "stride": tuple(module.stride),
            "padding": padding_of(module.padding, kernel, dilation),
            "dilation": dilation,
            "groups": int(module.groups),
            **({} if mode == "zeros" else {"padding_mode": mode}),
        }

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[Sizes]
    ) -> Mapping[str, Any]:
        module = f"nn.{type(self).__name__}"
        raise Unsupported(
            f"a functional {self.name} has no place for its weight's scale: use {module}"
        )

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn import functional

        a, n = node.attributes, self.spatial
        sides = [s for i in reversed(range(n)) for s in (a["padding"][i], a["padding"][n + i])]
        image = functional.pad(operands[0], sides, a.get("padding_mode", "constant"))
        weight, bias = parameters_of(node)
        convolve: Any = getattr(functional, f"conv{n}d")
        return convolve(image, weight, bias, a["stride"], 0, a["dilation"], a["groups"])  # type: ignore[no-any-return]

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        assert weight is not None, "a convolution has a weight"
        mode = attributes.get("padding_mode", "zeros")
        padding = attributes["padding"]
        if mode != "zeros":
            operands = (padded(operands[0], padding, mode),)
            padding = (0,) * len(padding)
        result = convolved(operands[0], weight, {**attributes, "padding": padding})
        return result if bias is None else result + bias.reshape(self.view)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if "padding_mode" in node.attributes:
            node = _padded_before(node, build)
        shape = build.operand(node, 0).shape
        weight = () if node.weight is None else node.weight.shape
        gemm_lowering.lower(node, build, self.shape(node.attributes, [shape], weight), axis=1)

    def shape(
        self, attributes: Mapping[str, Any], shapes: Sequence[Sizes], weight: Sizes = ()
    ) -> Sizes:
        n, groups, shape = self.spatial, attributes["groups"], shapes[0]
        kernel, stride, dilation, padding = geometry(attributes, n)
        if len(shape) != n + 2:
            raise Unsupported(f"it reads a tensor {shape}: a batch here has {n + 2} axes")
        if len(weight) != n + 2 or weight[0] % groups or weight[1] * groups != shape[1]:
            raise Unsupported(f"weights {weight} do not fit {shape[1]} channels, groups {groups}")
        if tuple(weight[2:]) != kernel:
            raise Unsupported(f"weights {weight} do not fit a kernel {kernel}")
        reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        sizes = [
            (shape[2 + i] + padding[i] + padding[n + i] - reach[i]) // stride[i] + 1
            for i in range(n)
        ]
        if min(sizes) < 1:
            raise Unsupported(f"a window of {kernel} does not fit into a tensor {shape}")
        return (shape[0], weight[0], *sizes)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        weight = call.constants["weight"].astype(np.int64)
        acc = convolved(call.centred(0, operands[0]), weight, call.node.attributes)
        acc = acc + call.constants["bias"].astype(np.int64).reshape(self.view)
        residual = operands[1] if call.node.attributes["residual"] else None
        return gemm.finish(call, acc, residual, self.view)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from torch.nn import functional

        a, n = call.node.attributes, self.spatial
        before, behind = a["padding"][:n], a["padding"][n:]
        sides = [s for i in reversed(range(n)) for s in (before[i], behind[i])]
        convolve: Any = getattr(functional, f"conv{n}d")

        def multiply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
            if before != behind:
                x = functional.pad(x, sides)
            even = before if before == behind else 0
            return convolve(x, weight, bias, a["stride"], even, a["dilation"], a["groups"])  # type: ignore[no-any-return]

        return gemm.fast(call, ranges, device, self.view, multiply)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return gemm.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return gemm.values(call, ranges)


def _padded_before(node: PreparedNode, build: Builder) -> PreparedNode:
    """The node without padding, behind a `pad` of its operand, on the operand's grid."""
    source, padding = build.operand(node, 0), node.attributes["padding"]
    n = len(padding) // 2
    sides = tuple(s for i in reversed(range(n)) for s in (padding[i], padding[n + i]))
    attributes = {"sides": sides, "mode": node.attributes["padding_mode"], "value": 0.0}
    pad = PreparedNode(
        f"{node.id}.pad",
        node.address,
        "pad",
        node.inputs[:1],
        attributes,
        grid=Grid(DTYPES[source.dtype], scale(source), source.zero_point),
        out_dtype=source.dtype,
    )
    op("pad", build.profile.own).lower(pad, build)
    kept = {k: v for k, v in node.attributes.items() if k != "padding_mode"}
    kept["padding"] = (0,) * len(padding)
    return replace(node, inputs=(pad.id, *node.inputs[1:]), attributes=kept)
